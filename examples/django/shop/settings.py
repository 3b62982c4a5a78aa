"""Settings; everything that is secret or differs between machines comes from the environment (see README.md)."""

import os
from datetime import timedelta
from pathlib import Path

FOLDER = Path(__file__).parents[1]

# The generation server.
SERVER = os.environ.get("SERVER", "http://127.0.0.1:8000").rstrip("/")
ADMIN_KEY = os.environ["ADMIN_KEY"]  # of `main.py admin-keys create`
WEBHOOK_SECRET = os.environ["WEBHOOK_SECRET"]  # one of the server's webhooks.secrets

SECRET_KEY = os.environ["SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "shop"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("DATABASE", FOLDER / "db.sqlite3")}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}]
USE_TZ = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}
SIMPLE_JWT = {
    "SIGNING_KEY": os.environ["JWT_SECRET"],  # the server's identity.jwt.secret, and not the SECRET_KEY
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
}
