"""Every key the product uses. `{p}` is the prefix `finops:` (settable, so that several releases share one server).

| key | type | written by | holds |
|---|---|---|---|
| `{p}schema` | string | operator | schema version; an older program refuses a newer one |
| `{p}restoring` | string | `finops restore` | SHA-256 of the backup that is being written back |
| `{p}restored` | string | `finops restore` | when the backup was made, until the operator has started frozen on it |
| `{p}inv:{account}:{region}:{kind}:head` | hash | scan | pointer: generation, count, gaps, times, api calls |
| `{p}inv:{account}:{region}:{kind}:{generation}` | hash | scan | resource id → compact JSON |
| `{p}shards` | set | scan | every shard that has a head |
| `{p}util:{account}:{region}:{kind}` | hash | scan | resource id → compact summaries |
| `{p}price:{account}:{region}:{kind}` | hash | scan | resource id → priced parts and what has no price |
| `{p}util:{account}:{region}:{kind}:{question}` | hash | scan | `resource mark` → answers on a window, two days |
| `{p}ring:{account}:{region}:{kind}:{metric}` | hash | scan | resource id → packed hourly values |
| `{p}ring:{account}:{region}:{kind}:{metric}:dimensions` | hash | scan | resource id → dimension set, kept a day |
| `{p}offered:{account}:{region}:{question}` | hash | scan | place → what AWS offers there, kept a day |
| `{p}logged:{account}:{region}:{kind}:{metric}:of:{id}` | string | scan | what logs say of a resource, kept a day |
| `{p}logged:{account}:{region}:{kind}:{metric}:left-out:{namespace}:{name}` | hash | scan | resource id → why unread |
| `{p}listed:{region}:{service}:{figure}` | string | scan | what AWS's price list says of a figure, kept a day |
| `{p}listed:{region}:{service}:{figure}:last` | string | scan | what it said last, kept 30 days |
| `{p}policy:{namespace}:{name}:head` | hash | scan | pointer to the policy's current generation, totals, report |
| `{p}policy:{namespace}:{name}:{generation}:recs` | hash | scan | recommendation id → JSON |
| `{p}policy:{namespace}:{name}:{generation}:by-saving` | sorted set | scan | recommendation id by monthly saving |
| `{p}policy:{namespace}:{name}:{generation}:why` | hash | scan | `check resource` → reason for no recommendation |
| `{p}work:{generation}` | hash | operator, its pods | what the pods of a scan are asked and have found, a day |
| `{p}policies` | set | scan | every policy that has a head |
| `{p}ring:…:dimensions:{discovery}` | hash | scan | a discovery under way, gone after an hour |
| `{p}cost:{date}` | hash | scan | `account:region:service` → monthly cost, resources, unpriced; 400 days |
| `{p}cost:{date}:selected` | hash | scan, operator | JSON list of shard, also with tag → parts that policies select |
| `{p}cost:{date}:tags` | hash | operator | JSON list of shard, tag key and value → cost of what carries it |
| `{p}cost-writes:{date}`, `{p}cost-writes:{date}:{part}` | string | as the hash | how often it was written; 400 days |
| `{p}notices`, `{p}notices:ids` | stream, sorted set | operator | what was announced; ids by time, each once |
| `{p}webhooks` | hash | operator | endpoint → what was last seen of it |
| `{p}webhook:{name}:{part}` | hash, sorted set | operator | its places, events, tries, dead letters; what is due |
| `{p}realized` | stream | executor | realised savings, one per act |
| `{p}realized:seen` | hash | scan, executor | request uid → for how long scans saw what its act saves |
| `{p}realized:acts` | hash | executor | request uid → its entry in the stream, so that an act saves once |
| `{p}ledger` | stream | ledger | records, id `sequence-0` |
| `{p}ledger:head` | hash | ledger | sequence, hash, fence, number packed; latest checkpoint; what was known then |
| `{p}ledger:packed` | hash | ledger | sequence of a run's first record → its records, compressed |
| `{p}ledger:ops` | hash | ledger | operation id → sequence |
| `{p}ledger:req:{uid}` | list | ledger | sequences of the records of one request |
| `{p}limit:{account}:{region}:{service}` | hash | all | token bucket |
| `{p}caps:policy:{namespace}:{name}` | sorted set | executor | instants of acts, for caps by hour and day |
| `{p}caps:policy:{namespace}:{name}:{kind}` | sorted set | executor | those on one kind, for the cap by fleet |
| `{p}caps:resource:{arn}` | string | executor | request that acts on the resource, an hour from its last pass |
| `{p}slack:wanted` | hash | bot | request uid → latest wanted card with its hash |
| `{p}slack:routes` | hash | bot | request uid → channel its card goes to |
| `{p}slack:due` | sorted set | bot | request uid by priority and time |
| `{p}slack:claims` | hash | bot | request uid → replica that delivers it now |
| `{p}slack:pace` | hash | bot | next instant at which a channel or method may be used |
| `{p}slack:message:{uid}` | hash | bot | channel, ts and hash of the card that shows a request |
| `{p}slack:lines:{uid}`, `{p}slack:thread:{uid}` | hash | bot | thread lines wanted and posted |
| `{p}slack:notices` | string | bot | place of the last notice that was taken up |
| `{p}slack:seen:{id}`, `{p}slack:clicks` | string, hash | bot | clicks taken, 25 h |
| `{p}slack:answering:{id}:{stage}` | string | bot | who answers a click now |
| `{p}slack:bots` | hash | bot | replicas that are alive |
| `{p}slack:groups:wanted` | set | operator | user group ids that policies name |
| `{p}slack:group:{id}` | hash | bot | members (JSON) and the time they were read |
| `{p}slack:status` | hash | bot | what the operator shows about the bot: connected, team, app, errors |
| `{p}slack:lease` | string | bot | which release holds the Slack app |
| `{p}slack:frozen` | string | operator | why all acts are frozen: no reminders meanwhile |
| `{p}names:slack` | hash | operator | Slack member id → name in the cluster, for the dashboard to show |
| `{p}web:ended:{hash}` | string | dashboard | a session that its person ended, until its cookie would end, 8 h |
| `{p}web:pushed` | hash | dashboard | namespace → how often something was pushed into it |
| `{p}web:pushed:{namespace}` | hash | dashboard | shard → when it was last pushed |
| `{p}web:pushed:{namespace}:{account}:{region}:{kind}` | hash | dashboard | resource id, sender → what was pushed |
| `{p}web:pushed:{namespace}:scans` | hash | dashboard | account → what its last scan could not see |
| `{p}web:claims` | hash | dashboard | namespace → when a saving was last claimed there |
| `{p}web:claims:{namespace}` | hash | dashboard | mark → a saving that somebody says was made elsewhere; 400 days |
| `{p}web:pushed-bytes` | hash | dashboard, operator | namespace → bytes of its resources |
| `{p}web:what-if:{place}` | string | dashboard | what somebody asks about a policy; 8 places, 5 minutes |
| `{p}what-if:{id}` | string | operator | the answer, or how far it is; gone after 15 minutes |
| `{p}what-if:answers` | list | operator | ids of the answers that are kept, the newest first |
| `{p}what-if:checks` | string | operator | the checks of the release with what a policy may set of each |
| `{p}pushed` | hash | operator | namespace → up to which push its resources are priced |
| `{p}pushed:{namespace}:{account}:{region}:{kind}` | hash | operator | resource id → mark, cost |
"""

from __future__ import annotations

from dataclasses import dataclass

from finops.domain.resource import Shard


@dataclass(frozen=True, slots=True)
class ShardKeys:
    """What a scan keeps of one account, region and kind."""

    prefix: str
    shard: Shard

    @property
    def head(self) -> str:
        return f"{self.prefix}inv:{self.shard}:head"

    def generation(self, generation: str) -> str:
        return f"{self.prefix}inv:{self.shard}:{generation}"

    @property
    def utilization(self) -> str:
        return f"{self.prefix}util:{self.shard}"

    @property
    def costs(self) -> str:
        return f"{self.prefix}price:{self.shard}"

    def ring(self, metric: str) -> str:
        return f"{self.prefix}ring:{self.shard}:{metric}"


@dataclass(frozen=True, slots=True)
class PolicyKeys:
    """What a scan keeps of one policy."""

    prefix: str
    namespace: str
    name: str

    @property
    def head(self) -> str:
        return f"{self.prefix}policy:{self.namespace}:{self.name}:head"

    def part(self, generation: str, part: str) -> str:
        return f"{self.prefix}policy:{self.namespace}:{self.name}:{generation}:{part}"


@dataclass(frozen=True, slots=True)
class ListedPriceKeys:
    """What AWS's price list answered."""

    prefix: str

    def of(self, region: str, service: str, dimension: str) -> str:
        return f"{self.prefix}listed:{region}:{service}:{dimension}"

    def last(self, region: str, service: str, dimension: str) -> str:
        return f"{self.of(region, service, dimension)}:last"


@dataclass(frozen=True, slots=True)
class CoverageKeys:
    """What AWS said about the commitments of an account, and who asked on which day."""

    prefix: str

    def of(self, account: str) -> str:
        return f"{self.prefix}covered:{account}"

    def asked(self, account: str, day: str) -> str:
        return f"{self.prefix}covered:{account}:{day}"


@dataclass(frozen=True, slots=True)
class AnnouncementKeys:
    """What was announced, and the queues of those whom it is sent to."""

    prefix: str

    @property
    def notices(self) -> str:
        return f"{self.prefix}notices"

    @property
    def notice_ids(self) -> str:
        return f"{self.prefix}notices:ids"

    @property
    def webhooks(self) -> str:
        return f"{self.prefix}webhooks"

    def webhook(self, name: str, part: str) -> str:
        return f"{self.prefix}webhook:{name}:{part}"


@dataclass(frozen=True, slots=True)
class RestoreKeys:
    """What says that a store comes from a backup."""

    prefix: str

    @property
    def restoring(self) -> str:
        return f"{self.prefix}restoring"

    @property
    def restored(self) -> str:
        return f"{self.prefix}restored"


@dataclass(frozen=True, slots=True)
class NameKeys:
    """What people are called."""

    prefix: str

    @property
    def of_slack(self) -> str:
        return f"{self.prefix}names:slack"


@dataclass(frozen=True, slots=True)
class WebKeys:
    """What the dashboard writes."""

    prefix: str

    def ended(self, session_hash: str) -> str:
        return f"{self.prefix}web:ended:{session_hash}"


@dataclass(frozen=True, slots=True)
class WhatIfKeys:
    """What people ask about policies below `web:`, which the dashboard may write, and the operator's answers."""

    prefix: str

    def question(self, place: int) -> str:
        return f"{self.prefix}web:what-if:{place}"

    def answer(self, question: str) -> str:
        return f"{self.prefix}what-if:{question}"

    @property
    def answers(self) -> str:
        return f"{self.prefix}what-if:answers"

    @property
    def checks(self) -> str:
        return f"{self.prefix}what-if:checks"


@dataclass(frozen=True, slots=True)
class PushKeys:
    """What is pushed from accounts that nobody here scans; the dashboard may write below `web:`, the operator all."""

    prefix: str

    @property
    def namespaces(self) -> str:
        return f"{self.prefix}web:pushed"

    @property
    def priced(self) -> str:
        return f"{self.prefix}pushed"

    @property
    def sizes(self) -> str:
        return f"{self.prefix}web:pushed-bytes"

    def shards(self, namespace: str) -> str:
        return f"{self.namespaces}:{namespace}"

    def resources(self, namespace: str, shard: Shard) -> str:
        return f"{self.namespaces}:{namespace}:{shard}"

    def scans(self, namespace: str) -> str:
        return f"{self.namespaces}:{namespace}:scans"

    def runs(self, namespace: str) -> str:
        return f"{self.namespaces}:{namespace}:runs"

    def costs(self, namespace: str, shard: Shard) -> str:
        return f"{self.priced}:{namespace}:{shard}"


@dataclass(frozen=True, slots=True)
class ClaimKeys:
    """Savings that people and programs elsewhere say they made; the dashboard writes them below `web:`."""

    prefix: str

    @property
    def namespaces(self) -> str:
        return f"{self.prefix}web:claims"

    def of(self, namespace: str) -> str:
        return f"{self.namespaces}:{namespace}"


@dataclass(frozen=True, slots=True)
class Keys:
    """Builds key names under one prefix; see the module's table."""

    prefix: str = "finops:"

    @property
    def schema(self) -> str:
        return f"{self.prefix}schema"

    def shard(self, shard: Shard) -> ShardKeys:
        return ShardKeys(self.prefix, shard)

    @property
    def shards(self) -> str:
        return f"{self.prefix}shards"

    def offered(self, account: str, region: str, question: str) -> str:
        return f"{self.prefix}offered:{account}:{region}:{question}"

    def policy(self, namespace: str, name: str) -> PolicyKeys:
        return PolicyKeys(self.prefix, namespace, name)

    @property
    def policies(self) -> str:
        return f"{self.prefix}policies"

    def cost(self, day: str, part: str = "", *, written: bool = False) -> str:
        """Return the key of a day's costs; `written`: of how often it was written."""
        return f"{self.prefix}cost{'-writes' if written else ''}:{day}{f':{part}' if part else ''}"

    @property
    def realized(self) -> str:
        return f"{self.prefix}realized"

    @property
    def ledger(self) -> str:
        return f"{self.prefix}ledger"

    @property
    def ledger_head(self) -> str:
        return f"{self.prefix}ledger:head"

    @property
    def ledger_operations(self) -> str:
        return f"{self.prefix}ledger:ops"

    def ledger_request(self, request_uid: str) -> str:
        return f"{self.prefix}ledger:req:{request_uid}"

    def limit(self, account: str, region: str, service: str) -> str:
        return f"{self.prefix}limit:{account}:{region}:{service}"

    def caps(self, name: str) -> str:
        return f"{self.prefix}caps:{name}"

    def slack(self, *parts: str) -> str:
        return f"{self.prefix}slack:{':'.join(parts)}"


@dataclass(frozen=True, slots=True)
class PackedKeys:
    """Where old records of the ledger are packed."""

    prefix: str

    @property
    def runs(self) -> str:
        return f"{self.prefix}ledger:packed"


@dataclass(frozen=True, slots=True)
class WorkKeys:
    """Scans that pods do."""

    prefix: str

    def of(self, scan: str) -> str:
        return f"{self.prefix}work:{scan}"


@dataclass(frozen=True, slots=True)
class LoggedKeys:
    """What logs say of resources."""

    prefix: str

    def of_one(self, account: str, region: str, kind: str, metric: str, name: str) -> str:
        """Return the key of what is kept of one metric of a resource."""
        return f"{self._of(account, region, kind, metric)}:of:{name}"

    def left_out(self, account: str, region: str, kind: str, metric: str, policy: tuple[str, str]) -> str:
        """Return the key of what a policy's scans leave out of such reading; `policy` is (namespace, name)."""
        namespace, name = policy
        return f"{self._of(account, region, kind, metric)}:left-out:{namespace}:{name}"

    def _of(self, account: str, region: str, kind: str, metric: str) -> str:
        return f"{self.prefix}logged:{account}:{region}:{kind}:{metric}"
