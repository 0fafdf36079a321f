"""Cost over time: series, forecasts and anomalies. Pure: numbers in, numbers out; no store, no clock, no library."""
