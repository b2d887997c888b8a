"""Notifications (回调通知): sealed, sent, sent again."""
