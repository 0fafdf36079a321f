"""Our Kubernetes kinds as frozen models: ScanPolicy, AwsAccount, ActionRequest, Approval, Budget.

Every process reads and writes these objects through the models here, and the schemas, rules and admission policies
that the API server enforces are generated from the same definitions, so that a file checked on a laptop and an object
checked by a cluster are judged alike.
"""
