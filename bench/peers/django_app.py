"""Django with REST framework and django-redis, as the seed's own backend is made: submit, status, cache.

No database, no sessions: only what these two endpoints need. ``gunicorn django_app:application``.
"""

import os
import uuid
from datetime import UTC, datetime
from typing import Any

import django
from django.conf import settings

settings.configure(
    SECRET_KEY=os.environ["BENCH_JWT_SECRET"],
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["rest_framework"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],  # it writes Content-Length
    USE_TZ=True,
    LOGGING_CONFIG=None,
    CACHES={"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": os.environ["BENCH_REDIS_URL"]}},
    REST_FRAMEWORK={
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "DEFAULT_AUTHENTICATION_CLASSES": ["django_bearer.BearerAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from django.core.cache import cache  # noqa: E402  # Django's own modules can be imported only once it has its settings
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.exceptions import NotFound  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

STATUS_TTL_S = 600
BASE = "api/v1/web-knowledge/generate-prompt-async"


def cache_key(account_id: str, task_id: str) -> str:
    return f"generation:{account_id}:{task_id}"


class PromptSerializer(serializers.Serializer[Any]):
    manual_prompt = serializers.CharField(max_length=20_000)


class StartView(APIView):
    def post(self, request: Request) -> Response:
        from celery_worker import generate_prompt  # the status endpoint does without Celery

        body = PromptSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        task_id = str(uuid.uuid4())
        created_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        document = {
            "status": "queued",
            "progress": 0,
            "message": "Task queued, waiting to start...",
            "created_at": created_at,
        }
        account_id = request.user.account_id
        cache.set(cache_key(account_id, task_id), document, STATUS_TTL_S)
        generate_prompt.delay(account_id, task_id, body.validated_data["manual_prompt"], created_at)
        answer = {
            "success": True,
            "task_id": task_id,
            "status": "queued",
            "message": "Prompt generation started. Use task_id to check status.",
            "status_url": f"/{BASE}/status/{task_id}/",
        }
        return Response(answer, status=202)


class StatusView(APIView):
    def get(self, request: Request, task_id: uuid.UUID) -> Response:
        document = cache.get(cache_key(request.user.account_id, str(task_id)))
        if document is None:
            raise NotFound("Task not found")
        return Response(document)


urlpatterns = [path(f"{BASE}/", StartView.as_view()), path(f"{BASE}/status/<uuid:task_id>/", StatusView.as_view())]
application = get_wsgi_application()
