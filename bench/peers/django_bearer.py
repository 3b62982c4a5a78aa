"""Bearer JWTs for REST framework, without a look into a database: as SimpleJWT's stateless authentication.

A module of its own because REST framework imports it by name while its views are being imported.
"""

import os

import jwt
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

SECRET = os.environ["BENCH_JWT_SECRET"]


class TokenUser:
    """The user that a valid token names."""

    is_authenticated = True

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id


class BearerAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[TokenUser, None] | None:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme != "Bearer":
            return None
        try:
            return TokenUser(jwt.decode(token, SECRET, algorithms=["HS256"])["sub"]), None
        except jwt.PyJWTError as exc:
            raise AuthenticationFailed("Invalid token") from exc

    def authenticate_header(self, _request: Request) -> str:
        return "Bearer"
