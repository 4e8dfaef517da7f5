"""The shop's pages."""

from django.contrib import admin
from django.urls import path

from . import views

urlpatterns = [
    path("", views.front),
    path("orders", views.orders),
    path("admin/", admin.site.urls),
]
