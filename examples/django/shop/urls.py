"""Every URL of the project."""

from django.urls import path
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from shop import views, webhooks

urlpatterns = [
    path("", views.page),
    path("api/users/", views.sign_up),
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/orders/", views.order),
    path("api/orders/<uuid:order_id>/pay/", views.pay),
    path("api/generations/", views.generations),
    path("webhooks/prompts/", webhooks.receive),
]
