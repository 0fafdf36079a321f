"""What the store holds, as rows that API and pages show: resources, recommendations, costs, savings, freshness."""
