"""All that is known of AWS services, one folder each."""
