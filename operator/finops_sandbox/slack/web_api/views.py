"""Modals and the App Home: trigger ids of three seconds and one use, a stack of three, hashes against lost updates."""

import copy

from finops_sandbox.slack.blocks import VIEW_BYTES_MAX, check_view, interactive, stored, view_bytes
from finops_sandbox.slack.issuer import TRIGGER_SECONDS
from finops_sandbox.slack.model import Json, View
from finops_sandbox.slack.rendering import view_json
from finops_sandbox.slack.state import State
from finops_sandbox.slack.web_api.call import ApiError, Call, Method

STACK_MAX = 3


def checked_view(raw: object, *, kind: str | None = None) -> Json:
    """Return a view that passed Slack's limits. Raises `invalid_arguments` or `view_too_large`."""
    problems = check_view(raw)
    if not problems and isinstance(raw, dict) and kind is not None and raw["type"] != kind:
        problems = [f"[ERROR] must be {kind} [json-pointer:/view/type]"]
    if problems or not isinstance(raw, dict):
        raise ApiError("invalid_arguments", response_metadata={"messages": problems})
    if view_bytes(raw) > VIEW_BYTES_MAX:
        raise ApiError("view_too_large")
    return raw


def new_view(state: State, user: str, raw: Json, *, under: View | None = None) -> View:
    """Build a view record for a user, on top of another one or as a root."""
    view_id = state.issuer.new_id("V")
    view = View(
        id=view_id,
        user=user,
        type=raw["type"],
        body={},
        hash="",
        root=under.root if under else view_id,
        previous=under.id if under else "",
    )
    set_body(state, view, raw)
    return view


def set_body(state: State, view: View, raw: Json) -> None:
    """Put new content into a view: new hash; what was typed stays where block_id and action_id are the same."""
    body = copy.deepcopy(raw)
    body["blocks"] = stored(body.get("blocks", []), state.issuer.random)
    kept: dict[str, dict[str, Json]] = {}
    for block, element in interactive(body["blocks"]):
        if element.get("type") in {"button", "overflow"}:
            continue
        before = view.state.get(block["block_id"], {}).get(element["action_id"])
        value = before if before and before["type"] == element["type"] else _initial(element)
        kept.setdefault(block["block_id"], {})[element["action_id"]] = value
    view.body = body
    view.state = kept
    view.errors = {}
    view.hash = f"{int(state.clock.now())}.{state.issuer.new_hex(8)}"
    state.changes.touch()


_INITIAL = {
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
}


def value_key(element_type: str) -> str:
    """Return the name under which Slack reports an element's value in state and actions."""
    return _INITIAL.get(element_type, ("value", "initial_value"))[0]


def _initial(element: Json) -> Json:
    key, source = _INITIAL.get(element["type"], ("value", "initial_value"))
    empty: object = [] if key.endswith("s") else None
    return {"type": element["type"], key: element.get(source, empty)}


def _spend_trigger(call: Call) -> str:
    """Use up the trigger id and return whose it is. Raises the errors Slack gives for late and second uses."""
    trigger = call.state.issuer.triggers.get(call.text("trigger_id"))
    if trigger is None:
        raise ApiError("invalid_trigger_id")
    if call.state.clock.now() - trigger.created > TRIGGER_SECONDS:
        raise ApiError("expired_trigger_id")
    if trigger.used:
        raise ApiError("exchanged_trigger_id")
    trigger.used = True
    return trigger.user


def _unique_external_id(call: Call, raw: Json, view: View | None = None) -> None:
    wanted = raw.get("external_id")
    for other in call.state.views.by_id.values():
        if wanted and other is not view and other.body.get("external_id") == wanted:
            raise ApiError("duplicate_external_id")


def _open(call: Call) -> Json:
    raw = checked_view(call.structure("view"), kind="modal")
    _unique_external_id(call, raw)
    user = _spend_trigger(call)
    # Opening replaces whatever the person had open in this app.
    call.state.views.close(user, everything=True)
    view = new_view(call.state, user, raw)
    call.state.views.add(view)
    return {"view": view_json(call.state, view)}


def _push(call: Call) -> Json:
    raw = checked_view(call.structure("view"), kind="modal")
    _unique_external_id(call, raw)
    user = _spend_trigger(call)
    stack = call.state.views.stack(user)
    if not stack:
        raise ApiError("not_found")
    if len(stack) >= STACK_MAX:
        raise ApiError("push_limit_reached")
    view = new_view(call.state, user, raw, under=stack[-1])
    call.state.views.add(view)
    return {"view": view_json(call.state, view)}


def _find(call: Call) -> View:
    view_id, external_id = call.text("view_id", ""), call.text("external_id", "")
    for view in call.state.views.by_id.values():
        is_open = view.type == "home" or view.id in call.state.views.stacks.get(view.user, [])
        if is_open and (
            (view_id and view.id == view_id) or (external_id and view.body.get("external_id") == external_id)
        ):
            return view
    raise ApiError("not_found")


def _check_hash(call: Call, view: View) -> None:
    wanted = call.text("hash", "")
    if wanted and wanted != view.hash:
        raise ApiError("hash_conflict")


def _update(call: Call) -> Json:
    raw = checked_view(call.structure("view"))
    view = _find(call)
    if raw["type"] != view.type:
        raise ApiError("invalid_arguments")
    _check_hash(call, view)
    _unique_external_id(call, raw, view)
    set_body(call.state, view, raw)
    return {"view": view_json(call.state, view)}


def _publish(call: Call) -> Json:
    raw = checked_view(call.structure("view"), kind="home")
    user = call.user(call.text("user_id"))
    view = call.state.views.home(user.id)
    if view is None:
        view = new_view(call.state, user.id, raw)
        call.state.views.add(view)
    else:
        _check_hash(call, view)
        set_body(call.state, view, raw)
    return {"view": view_json(call.state, view)}


METHODS = (
    Method("views.open", "tier4", _open),
    Method("views.push", "tier4", _push),
    Method("views.update", "tier4", _update),
    Method("views.publish", "tier4", _publish),
)
