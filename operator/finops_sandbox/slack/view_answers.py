"""Filling in a modal and carrying out the app's answer to its submission. Used by `people_acts`."""

from typing import Any

from finops_sandbox.slack.blocks import interactive
from finops_sandbox.slack.model import Json, View
from finops_sandbox.slack.state import State
from finops_sandbox.slack.web_api.call import ApiError
from finops_sandbox.slack.web_api.views import STACK_MAX, checked_view, new_view, set_body, value_key


def fill_in(view: View, values: dict[str, dict[str, Any]]) -> None:
    """Type values into the view's inputs. Options are given by their value. Raises ValueError for an unknown input."""
    inputs = {(b["block_id"], e["action_id"]): e for b, e in interactive(view.body["blocks"])}
    for block_id, actions in values.items():
        for action_id, value in actions.items():
            element = inputs.get((block_id, action_id))
            if element is None:
                raise ValueError(f"the view has no input {block_id}/{action_id}")
            key = value_key(element["type"])
            view.state.setdefault(block_id, {})[action_id] = {
                "type": element["type"],
                key: _typed(element, key, value),
            }


def _typed(element: Json, key: str, value: Any) -> Any:
    if key not in {"selected_option", "selected_options"}:
        return value or None
    groups = element.get("option_groups", [{"options": element.get("options", [])}])
    known = {option["value"]: option for group in groups for option in group["options"]}
    if key == "selected_option":
        if value and value not in known:
            raise ValueError(f"{element['action_id']} has no option {value}")
        return known.get(value)
    wanted = [value] if isinstance(value, str) else list(value or [])
    unknown = [item for item in wanted if item not in known]
    if unknown:
        raise ValueError(f"{element['action_id']} has no option {unknown[0]}")
    return [known[item] for item in wanted]


def required_errors(view: View) -> dict[str, str]:
    """Return what Slack's client would complain about before sending: inputs not filled in, too short, too long."""
    errors: dict[str, str] = {}
    for block in view.body["blocks"]:
        if block.get("type") != "input":
            continue
        element = block["element"]
        entry = view.state.get(block["block_id"], {}).get(element["action_id"], {})
        value = entry.get(value_key(element["type"]))
        if not value:
            if not block.get("optional", False):
                errors[block["block_id"]] = "Please complete this required field."
            continue
        if isinstance(value, str) and element["type"] == "plain_text_input":
            least, most = element.get("min_length", 0), element.get("max_length", 3000)
            if not least <= len(value) <= most:
                errors[block["block_id"]] = f"Please enter between {least} and {most} characters."
    return errors


def apply_response(state: State, view: View, response: Json) -> str:
    """Carry out a response_action. Returns what Slack would object to, or an empty string."""
    action = response.get("response_action")
    view.errors = {}
    try:
        if action is None:
            state.views.close(view.user, everything=False)
        elif action == "clear":
            state.views.close(view.user, everything=True)
        elif action == "errors":
            problem = _show_errors(view, response.get("errors"))
            state.changes.touch()
            return problem
        elif action == "update":
            set_body(state, view, checked_view(response.get("view"), kind="modal"))
        elif action == "push":
            if len(state.views.stack(view.user)) >= STACK_MAX:
                return "push_limit_reached"
            state.views.add(new_view(state, view.user, checked_view(response.get("view"), kind="modal"), under=view))
        else:
            return f"unknown response_action: {action}"
    except ApiError as error:
        return f"{error.code} {error.extra}"
    state.changes.touch()
    return ""


def _show_errors(view: View, errors: Any) -> str:
    if not isinstance(errors, dict) or not errors:
        return "errors must be a mapping of block ids"
    inputs = {block["block_id"] for block in view.body["blocks"] if block.get("type") == "input"}
    stray = [key for key in errors if key not in inputs]
    if stray:
        return f"errors name blocks that are no inputs: {', '.join(stray)}"
    view.errors = {key: str(text) for key, text in errors.items()}
    return ""
