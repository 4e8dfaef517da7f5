"""For uvicorn and other servers of ASGI."""

import os

from django.core.asgi import get_asgi_application

from oyez.producers.django.asgi import closing_at_the_end

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_shop.settings")
application = closing_at_the_end(get_asgi_application())
