"""The screens: the dashboard, one provider in detail, and the modals."""
