"""What the page asks for: users, orders, generations."""

from django.conf import settings
from django.contrib.auth import password_validation
from django.contrib.auth.models import User
from django.db import transaction
from django.shortcuts import get_object_or_404, render
from rest_framework import serializers
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.response import Response
from rest_framework.validators import UniqueValidator

from shop import prompts
from shop.models import Generation, Order

PACK_TOKENS = 50_000


class NewUser(serializers.Serializer):
    username = serializers.CharField(max_length=150, validators=[UniqueValidator(User.objects.all())])
    password = serializers.CharField(validators=[password_validation.validate_password])


class NewGeneration(serializers.Serializer):
    manual_prompt = serializers.CharField(max_length=20_000)


def page(request):
    return render(request, "page.html", {"server": settings.SERVER})


def checked(serializer):
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


@api_view(["POST"])
@authentication_classes([])
@permission_classes([])
def sign_up(request):
    try:
        with transaction.atomic():  # no user without an account
            user = User.objects.create_user(**checked(NewUser(data=request.data)))
            prompts.create_account(user)
    except prompts.Refused as exc:
        return Response({"error": str(exc)}, status=503)
    return Response({"id": user.pk}, status=201)


@api_view(["POST"])
def order(request):
    made = Order.objects.create(user=request.user, tokens=PACK_TOKENS)
    return Response({"id": made.pk, "tokens": made.tokens}, status=201)


@api_view(["POST"])
def pay(request, order_id):
    """Stand in for a payment provider, which would tell us (perhaps twice) that the order has been paid."""
    paid = get_object_or_404(Order, pk=order_id, user=request.user)
    try:
        balance = prompts.grant(paid)
    except prompts.Refused as exc:
        return Response({"error": str(exc)}, status=503)
    Order.objects.filter(pk=paid.pk).update(paid=True)
    return Response({"balance": balance})


@api_view(["GET", "POST"])
def generations(request):
    """List the user's generations, or start one and answer with what the page needs to watch it."""
    if request.method == "GET":
        newest = Generation.objects.filter(user=request.user).order_by("-created_at")[:20]
        return Response(newest.values("id", "status", "prompt", "tokens_used"))
    manual_prompt = checked(NewGeneration(data=request.data))["manual_prompt"]
    generation = Generation.objects.create(user=request.user)
    try:
        task_id, watch_token = prompts.submit(generation, manual_prompt, access_token=request.auth)
    except prompts.Refused as exc:
        Generation.objects.filter(pk=generation.pk).update(status="failed")
        return Response({"error": str(exc)}, status=exc.status)
    return Response({"id": generation.pk, "task_id": task_id, "watch_token": watch_token}, status=202)
