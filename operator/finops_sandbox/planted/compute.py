"""Planted compute: instances, groups, functions, services, clusters, endpoints, notebooks, desktops.

Rules: Compute Optimizer, "Viewing idle resource recommendations" (instances below 5 % of CPU and 5 MB a day, services
below 1 %, endpoints without an invocation, each fourteen days; desktops 63) and "Resource requirements" (30 hours of
data); Trusted Advisor (instances stopped for 30 days); Lambda developer guide, "Runtimes"; EKS user guide,
"Kubernetes version lifecycle".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from finops_sandbox.planted.site import Site, ago

_ARM = {"architecture": "arm64"}
"""Of whatever is no case of a processor: instances on x86 are one all the same."""


def instances(site: Site) -> None:
    """EC2 instances, which the double makes by itself; the prices are those of us-east-1 for 730 hours."""
    quiet = {"type": "m6g.large", **_ARM, "cpu": "idle", "network": "quiet"}

    def one(name: str, why: str, /, checks: dict[str, str | None], **facts: Any) -> None:
        site.load("instances", name=name, **{**quiet, **facts})
        site.wasted(site.made("instance", name), why, **checks)

    one("ec2-idle", "below 5 % of CPU and 5 MB a day", {"ec2_instance_idle": "56.21"})
    one("ec2-traffic", "idle CPU, but it forwards packets", {}, network="heavy")
    one("ec2-spike", "one busy minute a week", {}, cpu="spike")
    # On for 12 of 168 hours, Mondays from 7 to 19 o'clock, which leaves 4.02 of 56.21 a month.
    one("ec2-monday", "works on Mondays", {"ec2_instance_off_hours": "52.19"}, cpu="weekly")
    one("ec2-night", "works at night", {}, cpu="nightly_peak")
    one("ec2-young", "launched twenty hours ago", {}, age="20h")
    one("ec2-gap", "four of seven days without data", {}, cpu="gap")
    one("ec2-busy", "in use", {}, cpu="steady", network="normal")
    one(
        "ec2-in-group",
        "Auto Scaling would replace it: named, without a button",
        {"ec2_instance_idle": "56.21"},
        tags={"aws:autoscaling:groupName": "web"},
    )
    site.owners[site.made("instance", "ec2-in-group")] = "Auto Scaling (web)"
    stopped = {"type": "m6g.large", **_ARM, "cpu": "steady", "network": "normal", "state": "stopped", "age": "200d"}
    site.load("instances", name="ec2-stopped", volumes=[{"size": 50}], **stopped)
    name = site.made("instance", "ec2-stopped")
    site.wasted(name, "stopped for 100 days", ec2_instance_stopped=None)
    site.wasted(
        site.made("volume", "ec2-stopped/0"),
        "of an instance that stopped 100 days ago",
        ebs_volume_instance_stopped=None,
    )
    site.load("instances", name="ec2-stopped-lately", volumes=[{"size": 50}], **{**stopped, "age": "20d"})
    site.kept(site.made("instance", "ec2-stopped-lately"), "stopped for ten days")
    site.kept(site.made("volume", "ec2-stopped-lately/0"), "of an instance that stopped ten days ago")
    _platforms(one)
    large = {"type": "m6g.2xlarge", "cpu": "low", "network": "normal", "memory": "memory_low"}
    one("ec2-oversized", "13 % of CPU, a quarter of memory", {"ec2_instance_overprovisioned": None}, **large)
    public = {"cpu": "steady", "network": "normal", "publicIp": True}
    # 0.005 an hour for an address, used or not.
    one("ec2-public", "a public address that no security group opens", {"ec2_instance_public_ipv4": "3.65"}, **public)
    _reserved(site, one)
    _credits_and_minutes(one)
    full = {**large, "memory": "full_percent"}
    # A larger one costs more: nothing is saved. The double takes up to 15 % off shapes that vary, not off a constant.
    short: dict[str, str | None] = {"ec2_instance_underprovisioned": "0.00"}
    one("ec2-memory-full", "13 % of CPU, but all of its memory", short, **full)
    one("ec2-cpu-short", "its CPU is busy all day", short, cpu="full_percent", network="normal")
    one("ec2-cpu-by-night", "all of its CPU for three hours a night", {}, cpu="nightly_peak", network="normal")


def _platforms(one: Callable[..., None]) -> None:
    """Instances on x86, of which AWS has the same size on Graviton for less."""
    busy = {"architecture": "x86_64", "cpu": "steady", "network": "normal"}
    # m4.large 0.10 to m6i.large or m7i-flex: what the page names as its successor.
    older = {"ec2_instance_previous_generation": None, "ec2_instance_graviton": None}
    one("ec2-m4", "m4 is a previous generation", older, **busy, type="m4.large")
    # m6i.large 0.096 to m6g.large 0.077.
    one("ec2-x86", "the same size on Graviton costs less", {"ec2_instance_graviton": "13.87"}, **busy, type="m6i.large")
    one("ec2-windows", "Windows does not run on Graviton", {}, **busy, type="m6i.large", os="windows")


def _credits_and_minutes(one: Callable[..., None]) -> None:
    """Burstable instances in debt, and instances that report every minute."""
    busy = {"cpu": "steady", "network": "normal"}
    # 12 credits an hour, 0.04 USD for 60 of them: on top of its hours, so that nothing is saved for sure.
    debt = {**busy, "type": "t4g.large", "surplusCredits": "one"}
    one("ec2-surplus", "more processor than its size earns", {"ec2_instance_surplus_credits": "0.00"}, **debt)
    one("ec2-credits", "burstable, and earns what it uses", {}, **{**debt, "surplusCredits": "zero"})
    minutes = {**busy, "detailedMonitoring": True}
    one("ec2-minutes", "reports every minute to nobody", {"ec2_instance_detailed_monitoring": None}, **minutes)
    scaled = {**minutes, "tags": {"aws:autoscaling:groupName": "web"}}
    one("ec2-minutes-in-group", "its group may scale by its minutes", {}, **scaled)


def _reserved(site: Site, one: Callable[..., None]) -> None:
    """A reservation is paid, used or not: only where another instance takes it over, that one's price is saved."""
    site.load("reservedInstances", name="of-idle", type="c6g.large")
    one(
        "ec2-reserved",
        "idle inside a reservation: a stop saves nothing",
        {"ec2_instance_idle": "0.00"},
        type="c6g.large",
    )
    site.load("reservedInstances", name="of-shared", type="r6g.large")
    one("ec2-taken-over", "another takes its reservation over", {"ec2_instance_idle": "73.58"}, type="r6g.large")
    one("ec2-takes-over", "in use", {}, type="r6g.large", cpu="steady", network="normal")


def _members(site: Site, group: str, count: int, type_: str, *, idle: bool = False) -> list[dict[str, Any]]:
    """Add the machines of a group and return them as the group names them."""
    members = []
    cpu, network = ("idle", "quiet") if idle else ("steady", "normal")
    for number in range(count):
        name = f"{group}-{number}"
        machine, tags = site.made("instance", name), {"aws:autoscaling:groupName": group}
        site.load("instances", name=name, type=type_, **_ARM, cpu=cpu, network=network, tags=tags)
        if idle:
            site.wasted(machine, "Auto Scaling would replace it: named, without a button", ec2_instance_idle="56.21")
            site.owners[machine] = f"Auto Scaling ({group})"
        else:
            site.kept(machine, "a member of a group, at work")
        members.append(
            {
                "InstanceId": machine,
                "InstanceType": type_,
                "AvailabilityZone": f"{site.region}a",
                "LifecycleState": "InService",
                "HealthStatus": "Healthy",
                "ProtectedFromScaleIn": False,
            }
        )
    return members


def _scaling_group(
    site: Site,
    name: str,
    sizes: tuple[int, int, int],
    *,
    days: float = 400,
    type_: str = "m6g.large",
    idle: bool = False,
    tags: Mapping[str, str] | None = None,
) -> str:
    item = {
        "AutoScalingGroupName": name,
        "AutoScalingGroupARN": site.arn("autoscaling", f"autoScalingGroup:1:autoScalingGroupName/{name}"),
        "LaunchTemplate": {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "web", "Version": "1"},
        "MinSize": sizes[0],
        "MaxSize": sizes[1],
        "DesiredCapacity": sizes[2],
        "DefaultCooldown": 300,
        "AvailabilityZones": [f"{site.region}a"],
        "HealthCheckType": "EC2",
        "Instances": _members(site, name, sizes[2], type_, idle=idle),
        "CreatedTime": ago(days),
        "SuspendedProcesses": [],
        "Tags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
    }
    site.listed("autoscaling:DescribeAutoScalingGroups", item)
    return name


def groups(site: Site) -> None:
    """Auto Scaling groups; what a smaller one saves is what those of its machines cost that end."""

    def group(name: str, sizes: tuple[int, int, int], cpu: Any, *, days: float = 400, idle: bool = False) -> str:
        if cpu is not None:
            site.measured("AWS/EC2", {"AutoScalingGroupName": name}, int(days), CPUUtilization=cpu)
        return _scaling_group(site, name, sizes, days=days, idle=idle)

    site.wasted(group("asg-empty", (0, 4, 0), None), "without a member for a month", auto_scaling_group_empty=None)
    site.kept(group("asg-empty-young", (0, 4, 0), None, days=9), "nine days old")
    fixed = group("asg-fixed", (4, 4, 4), 20)
    # Two of four m6g.large at 56.21 a month.
    site.wasted(fixed, "four at 20 % that cannot scale", auto_scaling_group_fixed_size="112.42")
    # Its machines save more by themselves, and only that counts.
    shared = group("asg-shared", (2, 2, 2), 2, idle=True)
    site.wasted(shared, "two idle ones that cannot scale", auto_scaling_group_fixed_size="56.21")
    site.kept(group("asg-one", (1, 1, 1), 20), "a group of one is there to replace it")
    wide = group("asg-floor", (6, 12, 6), 15)
    # Four of six m6g.large.
    site.wasted(wide, "stands at a smallest size of six at 15 %", auto_scaling_group_overprovisioned="224.84")
    site.kept(group("asg-busy", (2, 12, 6), 60), "in use")
    site.kept(group("asg-nightly", (6, 12, 6), "nightly_peak"), "three hours a night need them")


def _function(
    site: Site, name: str, runs: Any, *, memory: int = 512, runtime: str = "python3.13", arm: bool = True
) -> str:
    item = {
        "FunctionName": name,
        "FunctionArn": site.arn("lambda", f"function:{name}"),
        "Runtime": runtime,
        "Role": f"arn:aws:iam::{site.account}:role/run",
        "Handler": "main.run",
        "CodeSize": 1_000_000,
        "Timeout": 900,
        "MemorySize": memory,
        "LastModified": ago(300).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "Version": "$LATEST",
        "PackageType": "Zip",
        "Architectures": ["arm64" if arm else "x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
    }
    site.listed("lambda:ListFunctions", item)
    site.answered("lambda:ListProvisionedConcurrencyConfigs", {"FunctionName": name}, ProvisionedConcurrencyConfigs=[])
    if runs is not None:
        # The sum of a minute: 200 milliseconds each.
        duration = runs * 200 if isinstance(runs, int) else (200, runs)
        values = {"Invocations": runs, "Duration": duration, "Errors": 0}
        site.measured("AWS/Lambda", {"FunctionName": name}, 400, **values)
    return name


def functions(site: Site) -> None:
    """Lambda functions."""
    function = partial(_function, site)

    site.wasted(function("fn-unused", "never"), "not invoked in 90 days", lambda_function_unused="0.00")
    site.kept(function("fn-weekly", "seldom_published"), "runs once a week")
    site.kept(function("fn-busy", 100), "in use")
    old = function("fn-python38", 100, runtime="python3.8")
    site.wasted(old, "Python 3.8 has been deprecated since 2024", lambda_function_deprecated_runtime="0.00")
    x86 = function("fn-x86", 4000, memory=1024, arm=False)
    site.wasted(x86, "x86, where Arm costs a fifth less", lambda_function_graviton=None)
    wide = function("fn-memory", 100, memory=1024)
    site.measured("LambdaInsights", {"function_name": wide}, 400, memory_utilization=20)
    site.wasted(wide, "a fifth of its memory used", lambda_function_memory=None)
    full = function("fn-memory-used", 100, memory=1024)
    site.measured("LambdaInsights", {"function_name": full}, 400, memory_utilization=70)
    site.kept(full, "70 % of its memory used")
    fixed = function("fn-memory-versions", 100, memory=1024)
    site.measured("LambdaInsights", {"function_name": fixed}, 400, memory_utilization=20)
    site.kept(fixed, "what an alias runs is a published version, which keeps its memory")
    ready = function("fn-provisioned", 100)
    alias = f"{site.arn('lambda', f'function:{ready}')}:live"
    waiting = {
        "FunctionArn": alias,
        "RequestedProvisionedConcurrentExecutions": 10,
        "AvailableProvisionedConcurrentExecutions": 10,
        "AllocatedProvisionedConcurrentExecutions": 10,
        "Status": "READY",
        "LastModified": ago(200).strftime("%Y-%m-%dT%H:%M:%S+0000"),
    }
    site.exact[:] = [one for one in site.exact if one["when"] != {"FunctionName": ready}]
    site.answered(
        "lambda:ListProvisionedConcurrencyConfigs", {"FunctionName": ready}, ProvisionedConcurrencyConfigs=[waiting]
    )
    site.measured("AWS/Lambda", {"FunctionName": ready}, 400, ProvisionedConcurrencyInvocations="never")
    site.wasted(ready, "ten instances wait for nobody", lambda_function_concurrency_idle=None)
    latest = site.lists["lambda:ListFunctions"]
    published = [{**one, "Version": "7"} for one in latest if one["FunctionName"] in {fixed, ready}]
    every = {"operation": "lambda:ListFunctions", "when": {"FunctionVersion": "ALL"}, "items": [*latest, *published]}
    site.exact.append(every)


def services(site: Site) -> None:
    """ECS services on Fargate."""
    cluster = site.arn("ecs", "cluster/main")
    site.listed("ecs:ListClusters", cluster)

    def service(name: str, cpu: Any, memory: Any, *, days: float = 400, arm: bool = True, desired: int = 2) -> str:
        arn = site.arn("ecs", f"service/main/{name}")
        site.listed("ecs:ListServices", arn)
        definition = site.arn("ecs", f"task-definition/{name}:1")
        item = {
            "serviceArn": arn,
            "serviceName": name,
            "clusterArn": cluster,
            "status": "ACTIVE",
            "desiredCount": desired,
            "runningCount": desired,
            "pendingCount": 0,
            "launchType": "FARGATE",
            "platformFamily": "Linux",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "DISABLED"}},
            "taskDefinition": definition,
            "schedulingStrategy": "REPLICA",
            "deploymentController": {"type": "ECS"},
            "createdAt": ago(days),
            "tags": [],
        }
        site.listed("ecs:DescribeServices", item, member="services", by={"services": "serviceArn"})
        platform = {"cpuArchitecture": "ARM64" if arm else "X86_64", "operatingSystemFamily": "LINUX"}
        task = {"taskDefinitionArn": definition, "cpu": "1024", "memory": "2048", "runtimePlatform": platform}
        task["requiresCompatibilities"] = ["FARGATE"]
        site.answered("ecs:DescribeTaskDefinition", {"taskDefinition": definition}, taskDefinition=task)
        values = {"CPUUtilization": cpu, "MemoryUtilization": memory}
        site.measured("AWS/ECS", {"ClusterName": "main", "ServiceName": name}, int(days), **values)
        return f"main/{name}"

    site.wasted(service("svc-idle", 0.2, 0.6), "below 1 % of CPU and memory", ecs_service_idle="57.67")
    site.kept(service("svc-memory", 0.2, 12), "its memory is in use")
    site.kept(service("svc-spike", "spike", 0.6), "a busy minute a week")
    site.kept(service("svc-young", 0.2, 0.6, days=6), "six days old")
    site.kept(service("svc-nothing", 0.2, 0.6, desired=0), "no task wanted, nothing billed")
    # Two tasks of 1 vCPU and 2 GB: 0.04048 and 0.004445 USD on x86, 0.03238 and 0.00356 on Arm.
    site.wasted(
        service("svc-x86", 40, 50, arm=False), "x86, where Graviton costs a fifth less", ecs_service_graviton="14.41"
    )


def _cluster(
    site: Site, name: str, version: str = "1.35", *, days: float = 400, groups: int = 1, policy: str = "EXTENDED"
) -> str:
    site.listed("eks:ListClusters", name)
    item = {
        "name": name,
        "arn": site.arn("eks", f"cluster/{name}"),
        "createdAt": ago(days),
        "version": version,
        "status": "ACTIVE",
        "upgradePolicy": {"supportType": policy},
        "tags": {},
        "health": {"issues": []},
    }
    site.answered("eks:DescribeCluster", {"name": name}, cluster=item)
    names = [f"{name}-{number}" for number in range(groups)]
    site.answered("eks:ListNodegroups", {"clusterName": name}, nodegroups=names)
    site.answered("eks:ListFargateProfiles", {"clusterName": name}, fargateProfileNames=[])
    for one in names:
        _nodegroup(site, name, one, (2, 6, 4), 55, 9e6)
    return name


def _nodegroup(site: Site, of: str, name: str, sizes: tuple[int, int, int], cpu: Any, network: Any) -> str:
    group = f"eks-{name}"
    item = {
        "nodegroupName": name,
        "nodegroupArn": site.arn("eks", f"nodegroup/{of}/{name}/1"),
        "clusterName": of,
        "version": "1.35",
        "createdAt": ago(390),
        "status": "ACTIVE",
        "capacityType": "ON_DEMAND",
        "scalingConfig": {"minSize": sizes[0], "maxSize": sizes[1], "desiredSize": sizes[2]},
        "instanceTypes": ["m6g.large"],
        "amiType": "AL2023_ARM_64_STANDARD",
        "resources": {"autoScalingGroups": [{"name": group}]},
        "health": {"issues": []},
        "tags": {},
    }
    behind = _scaling_group(site, group, sizes, days=390, type_="m6g.large", tags={"eks:nodegroup-name": name})
    site.kept(behind, "its node group is judged")
    site.answered("eks:DescribeNodegroup", {"clusterName": of, "nodegroupName": name}, nodegroup=item)
    values = {"CPUUtilization": cpu, "NetworkIn": network, "NetworkOut": network}
    site.measured("AWS/EC2", {"AutoScalingGroupName": group}, 390, **values)
    return f"{of}/{name}/1"


def kubernetes(site: Site) -> None:
    """EKS clusters and node groups."""
    cluster = partial(_cluster, site)
    nodegroup = partial(_nodegroup, site)
    for version, standard, extended, status in (
        ("1.30", (2025, 7, 23), (2026, 7, 23), "UNSUPPORTED"),
        ("1.32", (2026, 3, 23), (2027, 3, 23), "EXTENDED_SUPPORT"),
        ("1.35", (2027, 6, 1), (2028, 6, 1), "STANDARD_SUPPORT"),
    ):
        item = {
            "clusterVersion": version,
            "clusterType": "eks",
            "status": status.lower().replace("_", "-"),
            "versionStatus": status,
            "endOfStandardSupportDate": datetime(*standard, tzinfo=UTC),
            "endOfExtendedSupportDate": datetime(*extended, tzinfo=UTC),
        }
        site.listed("eks:DescribeClusterVersions", item, member="clusterVersions")

    site.kept(cluster("eks-good"), "in use on a supported version")
    # 0.50 USD an hour more in extended support.
    site.wasted(cluster("eks-old", "1.32"), "its version is in extended support", eks_cluster_extended_support="365.00")
    site.kept(cluster("eks-old-standard", "1.32", policy="STANDARD"), "AWS upgrades it instead of billing more")
    # 730 hours at 0.10 USD.
    site.wasted(cluster("eks-bare", groups=0), "nothing can run on it", eks_cluster_without_nodes="73.00")
    site.kept(cluster("eks-bare-young", groups=0, days=5), "five days old")
    several = cluster("eks-groups", groups=0)
    names = ["ng-idle", "ng-floor", "ng-busy"]
    site.exact[:] = [
        one for one in site.exact if one["operation"] != "eks:ListNodegroups" or one["when"] != {"clusterName": several}
    ]
    site.answered("eks:ListNodegroups", {"clusterName": several}, nodegroups=names)
    site.kept(several, "has node groups")
    idle = nodegroup(several, "ng-idle", (1, 4, 1), 2, 1000)
    # One m6g.large at 0.077 an hour.
    site.wasted(idle, "2 % of CPU, hardly any network", eks_nodegroup_idle="56.21")
    wide = nodegroup(several, "ng-floor", (6, 12, 6), 15, 9e6)
    # Four of six m6g.large.
    site.wasted(wide, "stands at a smallest size of six at 15 %", eks_nodegroup_overprovisioned="224.84")
    site.kept(nodegroup(several, "ng-busy", (6, 12, 6), 60, 9e6), "in use")


def learning(site: Site) -> None:
    """SageMaker."""

    def endpoint(name: str, runs: Any, days: float = 400) -> str:
        times = {"CreationTime": ago(days), "LastModifiedTime": ago(days)}
        item = {
            "EndpointName": name,
            "EndpointArn": site.arn("sagemaker", f"endpoint/{name}"),
            "EndpointStatus": "InService",
        }
        site.listed("sagemaker:ListEndpoints", {**item, **times})
        variants = [{"VariantName": "main", "CurrentInstanceCount": 1, "DesiredInstanceCount": 1}]
        described = {**item, **times, "EndpointConfigName": name, "ProductionVariants": variants}
        site.answered("sagemaker:DescribeEndpoint", {"EndpointName": name}, **described)
        machines = [{"VariantName": "main", "ModelName": name, "InstanceType": "ml.m5.large"}]
        named = {"EndpointConfigName": name}
        site.answered("sagemaker:DescribeEndpointConfig", named, **named, ProductionVariants=machines)
        if runs is not None:
            site.measured("AWS/SageMaker", {"EndpointName": name, "VariantName": "main"}, int(days), Invocations=runs)
        return name

    site.wasted(endpoint("ep-silent", "never"), "no invocation in fourteen days", sagemaker_endpoint_idle=None)
    site.kept(endpoint("ep-busy", 40), "in use")
    site.kept(endpoint("ep-rare", "seldom_published"), "an invocation a week")
    site.kept(endpoint("ep-young", None, days=5), "five days old")
    for name, status, days, checks, why in (
        ("nb-running", "InService", 30, {"sagemaker_notebook_running": None}, "has been running for a month"),
        ("nb-today", "InService", 1, {}, "started yesterday"),
        ("nb-stopped", "Stopped", 90, {"sagemaker_notebook_stopped": None}, "stopped for three months"),
        ("nb-stopped-lately", "Stopped", 9, {}, "stopped nine days ago"),
    ):
        item = {
            "NotebookInstanceName": name,
            "NotebookInstanceArn": site.arn("sagemaker", f"notebook-instance/{name}"),
            "NotebookInstanceStatus": status,
            "InstanceType": "ml.t3.medium",
            "CreationTime": ago(400),
            "LastModifiedTime": ago(days),
        }
        site.listed("sagemaker:ListNotebookInstances", item)
        described = {**item, "VolumeSizeInGB": 5}
        site.answered("sagemaker:DescribeNotebookInstance", {"NotebookInstanceName": name}, **described)
        site.wasted(name, why, **dict(checks))


def desktops(site: Site) -> None:
    """WorkSpaces."""
    for number, mode, last, connected, checks, why in (
        (1, "AUTO_STOP", 120, 0, {"workspaces_workspace_unused": None}, "nobody connected for 120 days"),
        (2, "AUTO_STOP", 20, "seldom", {}, "somebody connected twenty days ago"),
        (3, "ALWAYS_ON", 1, 0.05, {"workspaces_workspace_always_on": None}, "always on, 36 hours a month"),
        (4, "ALWAYS_ON", 1, 0.3, {}, "always on, 219 hours a month"),
    ):
        name = f"ws-{number:09d}"
        properties = {
            "RunningMode": mode,
            "RootVolumeSizeGib": 80,
            "UserVolumeSizeGib": 50,
            "ComputeTypeName": "STANDARD",
        }
        item = {
            "WorkspaceId": name,
            "DirectoryId": "d-0000000001",
            "UserName": f"user{number}",
            "State": "AVAILABLE",
            "BundleId": "wsb-1",
            "WorkspaceProperties": properties,
        }
        site.listed("workspaces:DescribeWorkspaces", item, by={"WorkspaceIds": "WorkspaceId"})
        status = {"WorkspaceId": name, "ConnectionState": "DISCONNECTED", "LastKnownUserConnectionTimestamp": ago(last)}
        by = {"WorkspaceIds": "WorkspaceId"}
        site.listed("workspaces:DescribeWorkspacesConnectionStatus", status, member="WorkspacesConnectionStatus", by=by)
        site.measured("AWS/WorkSpaces", {"WorkspaceId": name}, 400, UserConnected=connected)
        site.wasted(name, why, **dict(checks))
