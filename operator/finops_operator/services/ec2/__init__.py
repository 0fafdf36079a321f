"""Amazon EC2 and EBS: instances and volumes."""
