"""What the shop keeps: orders of tokens, and the generations of its users. Balances are the server's."""

import uuid

from django.conf import settings
from django.db import models


def new_id():
    return str(uuid.uuid4())


class Order(models.Model):
    """Tokens that somebody buys. Its id is the grant's id: whatever is repeated, it is granted once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    tokens = models.PositiveIntegerField()
    paid = models.BooleanField(default=False)


class Generation(models.Model):
    """One submit. It is saved before the server is asked, so that a webhook always finds its row."""

    id = models.CharField(primary_key=True, max_length=36, default=new_id)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)
    status = models.CharField(max_length=20, default="running")
    prompt = models.TextField(blank=True)
    tokens_used = models.PositiveIntegerField(default=0)
