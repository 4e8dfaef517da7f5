"""The shop's tables among the admin pages; Oyez's are there by themselves."""

from django.contrib import admin

from .models import Item, Order

admin.site.register([Item, Order])
