from django.db import models


class Account(models.Model):
    name = models.TextField(unique=True)


class Entry(models.Model):
    account = models.ForeignKey(Account, models.CASCADE, null=True)
    n = models.IntegerField(unique=True)
    at = models.DateTimeField(null=True)
    data = models.JSONField(default=dict)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    is_new = models.BooleanField(default=True)
