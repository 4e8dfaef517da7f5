"""A small shop: FastAPI announces what visitors do, handlers keep their baskets."""
