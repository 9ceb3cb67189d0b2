"""Mail: messages as they are written and read, and the two kinds of mailbox: local, and IMAP with SMTP."""
