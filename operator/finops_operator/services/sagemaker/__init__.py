"""SageMaker: endpoints that answer requests with a model, and notebook instances."""
