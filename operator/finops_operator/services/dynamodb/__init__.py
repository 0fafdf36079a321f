"""DynamoDB: tables."""
