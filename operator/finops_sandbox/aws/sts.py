"""The two STS calls that the product makes: GetCallerIdentity and AssumeRole."""

from collections.abc import Mapping
from typing import Any

from finops_sandbox.aws.calls import Call, Handler
from finops_sandbox.aws.identity import MAX_SESSION_POLICY_CHARACTERS, IdentityStore


def handlers(identities: IdentityStore) -> dict[str, Handler]:
    """Bind the calls to a store of identities."""

    def get_caller_identity(call: Call) -> Mapping[str, Any]:
        return {"UserId": call.caller.user_id, "Account": call.caller.account, "Arn": call.caller.arn}

    def assume_role(call: Call) -> Mapping[str, Any]:
        session = identities.assume(call.caller, call.parameters)
        used = len(str(call.parameters.get("Policy") or ""))
        answer: dict[str, Any] = {
            "Credentials": {
                "AccessKeyId": session.access_key,
                "SecretAccessKey": session.secret_key,
                "SessionToken": session.session_token,
                "Expiration": session.expires_at,
            },
            "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
            "PackedPolicySize": 100 * used // MAX_SESSION_POLICY_CHARACTERS if used else None,
        }
        if session.source_identity:
            answer["SourceIdentity"] = session.source_identity
        return answer

    return {"GetCallerIdentity": get_caller_identity, "AssumeRole": assume_role}
