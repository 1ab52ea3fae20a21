"""A stand-in for Azure Monitor: an estate, its alerts, and action groups that call secure webhooks."""

from secure_export.sandbox.azure_monitor.action_group import ActionGroup, Webhook
from secure_export.sandbox.azure_monitor.credentials import (
    CachedToken,
    ClientCredentials,
    FixedToken,
    TokenSource,
)
from secure_export.sandbox.azure_monitor.delivery import WebhookSender
from secure_export.sandbox.azure_monitor.estate import Estate, Resource, sample_estate
from secure_export.sandbox.azure_monitor.expectation import Binding, Expectation, Scenario, Step, Totals
from secure_export.sandbox.azure_monitor.monitor import AzureMonitor, Delivery, Message
from secure_export.sandbox.azure_monitor.rules import Attempt, Banned, Bans, Delivered, Dropped, GaveUp, Result
from secure_export.sandbox.azure_monitor.run import run_azure_monitor
from secure_export.sandbox.azure_monitor.scenario import groups_for, one_round, play
from secure_export.sandbox.azure_monitor.station import Station

__all__ = [
    "ActionGroup",
    "Attempt",
    "AzureMonitor",
    "Banned",
    "Bans",
    "Binding",
    "CachedToken",
    "ClientCredentials",
    "Delivered",
    "Delivery",
    "Dropped",
    "Estate",
    "Expectation",
    "FixedToken",
    "GaveUp",
    "Message",
    "Resource",
    "Result",
    "Scenario",
    "Station",
    "Step",
    "TokenSource",
    "Totals",
    "Webhook",
    "WebhookSender",
    "groups_for",
    "one_round",
    "play",
    "run_azure_monitor",
    "sample_estate",
]
