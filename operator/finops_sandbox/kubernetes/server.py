"""The HTTP face of the double: authentication, authorization, dispatch, audit.

``serve`` is used by the in-process double and by the command; every answer has the shape of the real server's.
"""

import asyncio
import contextlib
import json
import ssl
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from finops_sandbox.kubernetes import discovery, openapi, reads, reviews
from finops_sandbox.kubernetes.audit import AuditLog
from finops_sandbox.kubernetes.cluster import Cluster
from finops_sandbox.kubernetes.defaults import presented
from finops_sandbox.kubernetes.kinds import REVIEWS
from finops_sandbox.kubernetes.objects import ApiError, Kind, Obj, UserInfo, bad_request, not_found, timestamp
from finops_sandbox.kubernetes.oidc import AUTHENTICATED
from finops_sandbox.kubernetes.rbac import Question
from finops_sandbox.kubernetes.requests import Target, parse_target, question_of, read_body, write_options
from finops_sandbox.kubernetes.watch import Watch
from finops_sandbox.kubernetes.writes import Written

LARGEST_BODY = 3 << 20
SWEEP_SECONDS = 1.0
ANONYMOUS = UserInfo("system:anonymous", ("system:unauthenticated",))
VERSION = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.0-finops-sandbox",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": "python",
}
_PROBES = ("/healthz", "/livez", "/readyz")


class Server:
    """Answers requests for one cluster."""

    def __init__(self, cluster: Cluster, audit: AuditLog) -> None:
        self.cluster = cluster
        self.audit = audit
        self.app = web.Application(client_max_size=LARGEST_BODY)
        self.app.router.add_route("*", "/{path:.*}", self.handle)

    # -- one request
    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer, and write the audit entry."""
        if request.path in _PROBES:
            return web.Response(text="ok")
        moment = timestamp()
        target = parse_target(request.path)
        question = question_of(request, target)
        user = ANONYMOUS
        code = 500
        try:
            user = self._impersonated(request, self._authenticate(request))
            self.cluster.authorizer.demand(user, question)
            response = await self._answer(request, target, question, user)
            code = response.status
        except ApiError as error:
            code = error.code
            response = _reply(error.body(), error.code)
        except asyncio.CancelledError:
            code = 200 if question.verb == "watch" else code  # the client of a running watch has left
            raise
        finally:
            version = target.version if target else ""
            agent = request.headers.get("User-Agent", "")
            self.audit.record(user, question, request.path_qs, agent, code, moment, version=version)
        return response

    def _authenticate(self, request: web.Request) -> UserInfo:
        header = request.headers.get("Authorization", "")
        if not header:
            return ANONYMOUS
        user = self.cluster.accounts.authenticate(header.removeprefix("Bearer ").strip())
        if user is None:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        return user

    def _impersonated(self, request: web.Request, user: UserInfo) -> UserInfo:
        """Who the request acts as (``kubectl --as``); the right to impersonate each name is demanded.

        Raises:
            ApiError: 403 without that right, 400 for groups without a user.
        """
        name, groups = request.headers.get("Impersonate-User", ""), request.headers.getall("Impersonate-Group", [])
        if not name:
            if groups:
                raise bad_request("requested groups without impersonating a user")
            return user
        word, _, account = name.partition("system:serviceaccount:")
        if account and not word:
            namespace, _, short = account.partition(":")
            question = Question("impersonate", resource="serviceaccounts", namespace=namespace, name=short)
            groups = groups or ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
        else:
            question = Question("impersonate", resource="users", name=name)
        self.cluster.authorizer.demand(user, question)
        for group in request.headers.getall("Impersonate-Group", []):
            self.cluster.authorizer.demand(user, Question("impersonate", resource="groups", name=group))
        return UserInfo(name, tuple(dict.fromkeys([*groups, AUTHENTICATED])))

    async def _answer(
        self, request: web.Request, target: Target | None, question: Question, user: UserInfo
    ) -> web.StreamResponse:
        if target is None or not target.plural:
            return self._describe(request, target)
        review = REVIEWS.get((target.group, target.plural))
        if review is not None:
            if request.method != "POST":
                raise _method_not_allowed()
            body = await read_body(request, review) or {}
            body = {"kind": review, "apiVersion": f"{target.group}/{target.version}", **body}
            done = reviews.answer(review, body, user, self.cluster.authorizer, self.cluster.accounts.authenticate)
            return _reply(done, 201)
        kind = self.cluster.store.kinds.get(target.group, target.version, target.plural)
        if kind is None:
            return _page_not_found()
        if target.subresource and not (target.subresource == "status" and kind.has_status):
            raise ApiError(404, "NotFound", "the server could not find the requested resource", {})
        return await self._serve_kind(request, kind, target, question, user)

    async def _serve_kind(
        self, request: web.Request, kind: Kind, target: Target, question: Question, user: UserInfo
    ) -> web.StreamResponse:
        match question.verb:
            case "watch":
                return await Watch(request, self.cluster.store, kind, target).serve()
            case "list":
                return _reply(reads.list_objects(request, self.cluster.store, kind, target))
            case "get":
                return _reply(reads.shaped_object(request, kind, self._find(kind, target)))
            case "deletecollection":
                return await self._delete_collection(request, kind, target, user)
            case "delete":
                return await self._delete(request, kind, target, user)
            case "create" | "update" | "patch":
                return await self._write(request, kind, target, user)
        raise _method_not_allowed()

    def _find(self, kind: Kind, target: Target) -> Obj:
        namespace = target.namespace if kind.namespaced else ""
        obj = self.cluster.store.get(kind, namespace, target.name)
        if obj is None:
            raise not_found(kind, target.name)
        return obj

    # -- writing
    async def _write(self, request: web.Request, kind: Kind, target: Target, user: UserInfo) -> web.Response:
        body = await read_body(request, kind.kind)
        options = write_options(request, user, target)
        namespace = target.namespace if kind.namespaced else ""
        writer = self.cluster.writer
        if request.method == "POST":
            if kind.namespaced and not namespace:
                raise bad_request("an empty namespace may not be set during creation")
            written = writer.create(kind, namespace, body, options)
        elif request.method == "PUT":
            written = writer.update(kind, namespace, target.name, body, options)
        else:
            written = writer.patch(kind, namespace, target.name, request.content_type, body, options)
        return self._written(request, kind, written)

    def _written(self, request: web.Request, kind: Kind, written: Written) -> web.Response:
        shown = reads.shaped_object(request, kind, written.obj)
        return _reply(shown, 201 if written.created else 200, written.warnings)

    async def _delete(self, request: web.Request, kind: Kind, target: Target, user: UserInfo) -> web.Response:
        options = write_options(request, user, target)
        body = {**request.query, **(await read_body(request) or {})}
        obj = self._find(kind, target)
        gone = self.cluster.writer.delete(kind, obj, body, options)
        if "deletionTimestamp" in gone["metadata"] or kind.plural == "namespaces":
            return _reply(presented(kind, gone))
        details = {**kind.details(target.name), "uid": obj["metadata"]["uid"]}
        return _reply(
            {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details},
        )

    async def _delete_collection(
        self, request: web.Request, kind: Kind, target: Target, user: UserInfo
    ) -> web.Response:
        options = write_options(request, user, target)
        body = await read_body(request)
        keep = reads.keeper(request, kind, target)
        store = self.cluster.store
        gone = [obj for obj in store.all(kind, target.namespace if kind.namespaced else "") if keep(obj)]
        for obj in gone:
            self.cluster.writer.delete(kind, obj, body, options)
        return _reply(reads.object_list(kind, gone, {"resourceVersion": str(store.changes.revision)}))

    # -- describing
    def _describe(self, request: web.Request, target: Target | None) -> web.Response:
        kinds = list(self.cluster.store.kinds)
        path = request.path.rstrip("/")
        if target is not None:
            return _reply(discovery.resource_list(kinds, target.group, target.version))
        if path in ("/api", "/apis"):
            return self._groups(request, kinds, path)
        if path.startswith("/apis/"):
            group = path.removeprefix("/apis/")
            versions = discovery.versions_by_group(kinds).get(group)
            if not versions:
                return _page_not_found()
            return _reply({"kind": "APIGroup", "apiVersion": "v1", **discovery.api_group(group, versions)})
        if path == "":
            return _reply({"paths": ["/api", "/apis", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]})
        if path == "/version":
            return _reply(VERSION)
        return self._openapi(request, kinds, path)

    def _groups(self, request: web.Request, kinds: list[Kind], path: str) -> web.Response:
        accept = request.headers.get("Accept", "")
        if "as=APIGroupDiscoveryList" in accept and "v=v2;" in accept.replace(" ", "") + ";":
            content = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            return _reply(discovery.aggregated(kinds, core=path == "/api"), content_type=content)
        if path == "/api":
            return _reply({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
        return _reply(discovery.group_list(kinds))

    def _openapi(self, request: web.Request, kinds: list[Kind], path: str) -> web.Response:
        if path == "/openapi/v3":
            return _reply(openapi.index(kinds, self.cluster.store.changes.revision))
        if path.startswith("/openapi/v3/"):
            document = openapi.document_v3(kinds, path.removeprefix("/openapi/v3/"))
            return _reply(document) if document is not None else _page_not_found()
        if path == "/openapi/v2":
            if "json" not in request.headers.get("Accept", "json") and "*/*" not in request.headers.get("Accept", ""):
                raise ApiError(406, "NotAcceptable", "only application/json is served here")
            return _reply(openapi.document_v2(kinds))
        return _page_not_found()


def _method_not_allowed() -> ApiError:
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def _page_not_found() -> web.Response:
    return web.Response(status=404, text="404 page not found\n", content_type="text/plain")


def _reply(
    body: Any, status: int = 200, warnings: tuple[str, ...] = (), content_type: str = "application/json"
) -> web.Response:
    headers: CIMultiDict[str] = CIMultiDict({"Content-Type": content_type, "Cache-Control": "no-cache, private"})
    for text in warnings:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        headers.add("Warning", f'299 - "{escaped}"')
    return web.Response(body=json.dumps(body, separators=(",", ":")).encode() + b"\n", status=status, headers=headers)


class Listener:
    """A server on an address, with the collector that sweeps objects without owners."""

    def __init__(self, server: Server, host: str, port: int, context: ssl.SSLContext) -> None:
        self._server = server
        self._host = host
        self.port = port
        self._context = context
        self._runner: web.AppRunner | None = None
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; with port 0 the system chooses one, which is kept over restarts."""
        application = web.Application(client_max_size=LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self._server.handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port, ssl_context=self._context, reuse_address=True)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """Close every connection and the port."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
        if self._runner is not None:
            await self._drop_connections(self._runner)
            await self._runner.cleanup()

    async def _drop_connections(self, runner: web.AppRunner) -> None:
        """Abort what is open: waiting for each client's TLS farewell would take half a minute."""
        for site in list(runner.sites):
            await site.stop()
        for protocol in list(runner.server.connections if runner.server else ()):
            if protocol.transport is not None:
                protocol.transport.abort()
        await asyncio.sleep(0.05)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._server.cluster.store.sweep()
