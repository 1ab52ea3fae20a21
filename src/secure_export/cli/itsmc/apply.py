"""``secure-export itsmc apply``: carries the configuration over, adds the webhooks, and takes the old actions out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from secure_export.azure.itsmc.file import replace_file
from secure_export.azure.itsmc.migration import Move
from secure_export.azure.setup.change import Action, Plan
from secure_export.azure.setup.record import Record
from secure_export.azure.setup.walk import apply as apply_to
from secure_export.azure.setup.wanted import WantedTenant
from secure_export.cli.azure.apply import Yes
from secure_export.cli.azure.plan import lacking_for, looked
from secure_export.cli.azure.setting_up import NotAllowed, Only, context_of, settings_of, sides, wanted_in
from secure_export.cli.azure.shown import as_json as json_of
from secure_export.cli.azure.shown import show_plan, summary
from secure_export.cli.azure.work import Work
from secure_export.cli.itsmc.finding import Asked, Name, Outlook, Subscriptions, ToolType, outlook
from secure_export.cli.itsmc.removing import Groups, remove_old
from secure_export.cli.itsmc.shown import show_configuration, show_found, show_left, show_lines
from secure_export.cli.options import DEFAULT_FILE, AsJson, Config, run_async
from secure_export.cli.output import out, print_json, quietly
from secure_export.errors import SettingsError
from secure_export.itsm.registry import connector_types
from secure_export.settings import Settings
from secure_export.settings_file import read_settings
