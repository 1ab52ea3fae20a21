"""Budgets: schema ``AIP Budget Notification`` (Azure Monitor docs, "Non-common alert schema definitions")."""

from secure_export.alerts.alert import Alert, Condition, Ending, Kind
from secure_export.alerts.legacy.made_up import context_of, made_up_id, warning
from secure_export.alerts.members import Members
from secure_export.alerts.standing import budget_problem

SCHEMA = "AIP Budget Notification"


def read_budget(data: Members) -> Alert:
    """Read ``data``. It has no time and no id; the amount spent tells one month's notification from the next."""
    subscription, group = data.text("SubscriptionId"), data.text("ResourceGroup")
    scope = f"/subscriptions/{subscription}" if subscription else ""
    if scope and group:
        scope += f"/resourceGroups/{group}"
    context = {"AlertCategory": "budgets", "AlertData": _alert_data(data, scope)}
    name = data.text("BudgetName")
    told = [data.text(member) for member in ("NotificationThresholdAmount", "SpendingAmount", "BudgetStartDate")]
    alert_id = made_up_id("budget", subscription, scope, name, *told)
    return Alert(
        id=alert_id,
        condition=Condition.FIRED,
        kind=Kind.BUDGET,
        ending=Ending.NEVER,
        problem=budget_problem(Members(context)) or alert_id,
        ended=False,
        monitoring_service="CostAlerts",
        rule=name or None,
        context=context_of(context),
        is_legacy_schema=True,
        warnings=(warning(SCHEMA),),
    )


def _alert_data(data: Members, scope: str) -> dict[str, str]:
    return dict(data.pairs()) | {
        "Scope": scope,
        "BudgetThreshold": data.text("Budget"),
        "SpentAmount": data.text("SpendingAmount"),
    }
