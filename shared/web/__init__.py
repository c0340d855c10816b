"""What every service's pages and API share: application, layout, sign-in, access, refusals as answers."""
