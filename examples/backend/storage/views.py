"""The object store's endpoint. Plain Django: a presigned URL knows nothing of sessions, tokens or JSON."""

from django.conf import settings
from django.http import FileResponse, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from storage import presign, store


@method_decorator(csrf_exempt, name="dispatch")
class ObjectView(View):
    """``PUT`` stores an object and ``GET`` fetches it, as far as the signature in the URL permits."""

    http_method_names = ["get", "put", "options"]

    def dispatch(self, request, *args, **kwargs):
        """Let pages of other origins use the store, since browsers upload to it directly."""
        response = super().dispatch(request, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = settings.STORAGE_ALLOWED_ORIGIN
        return response

    def options(self, request, key):
        """Answer a browser's preflight request."""
        headers = {"Access-Control-Allow-Methods": "GET, PUT", "Access-Control-Allow-Headers": "Content-Type"}
        return HttpResponse(status=204, headers=headers)

    def put(self, request, key):
        """Store the body: its type is part of what was signed, its size has to be the declared one."""
        try:
            permission = self._permission(request, key)
            if permission.content_type and request.content_type != permission.content_type:
                raise presign.NotPermitted(f"The content type must be {permission.content_type}.")
            store.write(key, request, permission.size)
        except presign.NotPermitted as refusal:
            return self._refusal(refusal, 403)
        except store.SizeMismatch as refusal:
            return self._refusal(refusal, 400)
        return HttpResponse(status=200)

    def get(self, request, key):
        """Send the object as a download."""
        try:
            permission = self._permission(request, key)
        except presign.NotPermitted as refusal:
            return self._refusal(refusal, 403)
        if not store.exists(key):
            return self._refusal("There is no such object.", 404)
        return FileResponse(
            store.open_object(key),
            content_type=permission.content_type,
            as_attachment=True,
            filename=permission.filename,
        )

    @staticmethod
    def _permission(request, key):
        """What the URL permits for this request."""
        return presign.check(request.GET.get("signature", ""), request.method, key)

    @staticmethod
    def _refusal(reason, status):
        """An error in the shape the rest of the backend uses."""
        return JsonResponse({"detail": str(reason)}, status=status)
