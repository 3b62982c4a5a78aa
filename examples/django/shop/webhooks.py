"""What the generation server tells: signed as Standard Webhooks says, and checked before it is read."""

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from standardwebhooks import Webhook, WebhookVerificationError

from shop.models import Generation


@csrf_exempt
@require_POST
def receive(request):
    """Note how a generation ended. An event that comes twice says the same twice."""
    try:
        event = Webhook(settings.WEBHOOK_SECRET).verify(request.body, dict(request.headers))
    except (WebhookVerificationError, ValueError):  # the library lets what is not even base64 pass as ValueError
        return HttpResponse(status=401)
    if event["type"] in ("task.completed", "task.failed"):
        note(event["data"])
    return HttpResponse(status=204)


def note(task):
    """Save the end of a task; the server also tells of tasks that others started, and of other accounts."""
    ours = Generation.objects.filter(pk=task.get("metadata", {}).get("generation")).first()
    if ours and str(ours.user_id) == task["account_id"]:
        ours.status, ours.prompt, ours.tokens_used = task["status"], task.get("prompt", ""), task["tokens_used"]
        ours.save()
