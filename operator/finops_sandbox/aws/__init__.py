"""The AWS double: moto's EC2 behind a strict layer, with generated CloudWatch series.

Real AWS SDK clients reach it over HTTP (``AWS_ENDPOINT_URL``). It refuses what AWS refuses and moto accepts,
enforces roles and session policies, and keeps a record of every changing call. The demo's supervisor starts
``python -m finops_sandbox.aws``; tests use :class:`finops_sandbox.aws.double.AwsDouble`.

Control API, JSON, on the same port:

====================================== ===========================================================================
call                                   does
====================================== ===========================================================================
``GET /_sandbox/health``               200 when the estate is loaded, else 503
``GET /_sandbox/calls[?since=N]``      every changing call in order; ``DELETE`` empties record and counts
``GET /_sandbox/sessions``             every AssumeRole in order, with session policy, source identity and tags
``GET /_sandbox/counts``               number of calls per ``service:Action``, reads included
``POST /_sandbox/faults``              inject a fault (kinds: :mod:`finops_sandbox.aws.faults`); ``GET`` lists,
                                       ``DELETE /_sandbox/faults[/ID]`` removes
``POST /_sandbox/clock``               ``{"advanceSeconds": n}``; ``GET`` returns the double's time
``GET|POST /_sandbox/resources/A/R/I`` read, or change by hand, resource I of account A in region R; a change by
                                       hand is not recorded as anyone's call
``POST /_sandbox/fleet``               ``{"account", "region", "instances", "volumes"}``: generated fleet
``POST /_sandbox/reset``               estate as loaded; faults, calls and clock too
====================================== ===========================================================================
"""
