"""Products, prices and subscriptions, kept in step with Stripe by its webhooks."""
