"""Users and user groups, as an approver policy reads them."""

from finops_sandbox.slack.model import Group, Json, User
from finops_sandbox.slack.web_api.call import ApiError, Call, Method, page_of


def user_json(call: Call, user: User) -> Json:
    """Return a user object; the e-mail only with its own scope."""
    profile: Json = {
        "title": user.title,
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "team": user.team_id,
    }
    if "users:read.email" in call.token.scopes and not user.is_bot:
        profile["email"] = user.email
    found: Json = {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "profile": profile,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 0,
    }
    if user.deleted:
        # Slack leaves most flags out of the record of somebody deactivated.
        return found
    found |= {
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_email_confirmed": user.is_email_confirmed,
    }
    if user.is_stranger:
        found["is_stranger"] = True
    return found


def _info(call: Call) -> Json:
    return {"user": user_json(call, call.user(call.text("user")))}


def _list(call: Call) -> Json:
    # Strangers of shared channels are not members of the workspace: users.info knows them, users.list does not.
    users = [user for user in call.state.directory.users.values() if not user.is_stranger]
    page = page_of(call, users, default=200)
    return {
        "members": [user_json(call, user) for user in page.items],
        "cache_ts": int(call.state.clock.now()),
        "response_metadata": page.metadata,
    }


def _lookup_by_email(call: Call) -> Json:
    email = call.text("email").lower()
    for user in call.state.directory.users.values():
        if user.email.lower() == email and not user.is_bot and not user.is_stranger and not user.deleted:
            return {"user": user_json(call, user)}
    raise ApiError("users_not_found")


def group_json(call: Call, group: Group, *, users: bool, count: bool) -> Json:
    """Return a user group object."""
    found: Json = {
        "id": group.id,
        "team_id": call.state.directory.team.id,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "is_external": False,
        "date_create": 1_700_000_000,
        "date_delete": 0 if group.enabled else 1_700_000_001,
        "prefs": {"channels": [], "groups": []},
    }
    if users:
        found["users"] = _members(call, group)
    if count:
        found["user_count"] = len(_members(call, group))
    return found


def _members(call: Call, group: Group) -> list[str]:
    # Slack takes people out of the answer when they are deactivated, whatever the group's own list says.
    return [key for key in group.members if not call.state.directory.users[key].deleted]


def _require_paid(call: Call) -> None:
    if not call.state.directory.team.paid:
        raise ApiError("plan_upgrade_required")


def _groups_list(call: Call) -> Json:
    _require_paid(call)
    disabled = call.flag("include_disabled")
    groups = [group for group in call.state.directory.groups.values() if group.enabled or disabled]
    users, count = call.flag("include_users"), call.flag("include_count")
    return {"usergroups": [group_json(call, group, users=users, count=count) for group in groups]}


def _group_users(call: Call) -> Json:
    _require_paid(call)
    group = call.state.directory.groups.get(call.text("usergroup"))
    if group is None or (not group.enabled and not call.flag("include_disabled")):
        raise ApiError("no_such_subteam")
    return {"users": _members(call, group)}


METHODS = (
    Method("users.info", "tier4", _info, ("users:read",)),
    Method("users.list", "tier2", _list, ("users:read",)),
    Method("users.lookupByEmail", "tier3", _lookup_by_email, ("users:read.email",)),
    Method("usergroups.list", "tier2", _groups_list, ("usergroups:read",)),
    Method("usergroups.users.list", "tier2", _group_users, ("usergroups:read",)),
)
