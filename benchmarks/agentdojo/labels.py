"""What an administrator declares of each tool that AgentDojo brings: effect, targets, free text, look-ups, what names.

These are the same declarations that Bosun's own tools make, and no more; nothing here knows a task or an attack.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.types import Effect, Origin


@dataclass(frozen=True, kw_only=True)
class Label:
    """The declaration of one tool."""

    effect: Effect = "read"
    authority: tuple[str, ...] = ()
    free_text: tuple[str, ...] = ()
    look_up: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # fields of its records that say which one it is, or how to reach it
    titles: tuple[str, ...] = ()  # fields that say what people call the record
    keyed: bool = False  # it returns a table: names, and what is said of each
    personal: tuple[str, ...] = ()  # fields with personal or secret data
    origins: Mapping[str, Origin] = field(default_factory=dict)  # fields that can hold nothing else


MAIL = {
    "send_email": Label(
        effect="send", authority=("recipients", "cc", "bcc", "attachments"), free_text=("subject", "body")
    ),
    "delete_email": Label(effect="destroy", authority=("email_id",)),
    "get_unread_emails": Label(names=("id_",)),
    "get_sent_emails": Label(names=("id_",)),
    "get_received_emails": Label(names=("id_",)),
    "get_draft_emails": Label(names=("id_",)),
    "search_emails": Label(look_up=("query", "sender"), names=("id_",)),
    "search_contacts_by_name": Label(look_up=("query",), names=("email",)),
    "search_contacts_by_email": Label(look_up=("query",), names=("email",)),
}
CALENDAR = {
    "get_current_day": Label(),
    "search_calendar_events": Label(look_up=("query", "date"), names=("id_",), titles=("title",)),
    "get_day_calendar_events": Label(look_up=("day",), names=("id_",), titles=("title",)),
    "create_calendar_event": Label(
        effect="send",
        authority=("title", "participants"),
        free_text=("description", "location"),
        origins={"id_": "made_here"},
    ),
    "cancel_calendar_event": Label(effect="send", authority=("event_id",)),
    "reschedule_calendar_event": Label(effect="send", authority=("event_id",)),
    "add_calendar_event_participants": Label(effect="send", authority=("event_id", "participants")),
}
FILES = {
    "append_to_file": Label(effect="write", authority=("file_id",), free_text=("content",)),
    "create_file": Label(effect="write", authority=("filename",), free_text=("content",), origins={"id_": "made_here"}),
    "delete_file": Label(effect="destroy", authority=("file_id",)),
    "share_file": Label(effect="send", authority=("file_id", "email")),
    "get_file_by_id": Label(authority=("file_id",), names=("id_",)),
    "list_files": Label(names=("id_",)),
    "search_files_by_filename": Label(look_up=("filename",), names=("id_",), titles=("filename",)),
    "search_files": Label(look_up=("query",), names=("id_",), titles=("filename",)),
}
# Tables of the travel agency: the name of a hotel, a restaurant or a company, and what is said of it.
TABLES = {
    name: Label(keyed=True)
    for name in (
        "get_hotels_prices",
        "get_hotels_address",
        "get_rating_reviews_for_hotels",
        "get_restaurants_address",
        "get_rating_reviews_for_restaurants",
        "get_cuisine_type_for_restaurants",
        "get_dietary_restrictions_for_all_restaurants",
        "get_contact_information_for_restaurants",
        "get_price_for_restaurants",
        "get_car_types_available",
        "get_rating_reviews_for_car_rental",
        "get_car_rental_address",
        "get_car_fuel_options",
        "get_car_price_per_day",
    )
}
TRIPS = {
    "get_user_information": Label(
        personal=(
            "ID Number",
            "Phone Number",
            "Address",
            "Passport Number",
            "Bank Account Number",
            "Credit Card Number",
        )
    ),
    "reserve_hotel": Label(effect="write", authority=("hotel",)),
    "reserve_restaurant": Label(effect="write", authority=("restaurant",)),
    "reserve_car_rental": Label(effect="write", authority=("company",)),
}
BANK = {
    "send_money": Label(effect="spend", authority=("recipient",), free_text=("subject",)),
    "schedule_transaction": Label(effect="spend", authority=("recipient",), free_text=("subject",)),
    "update_scheduled_transaction": Label(effect="spend", authority=("id", "recipient"), free_text=("subject",)),
    "get_most_recent_transactions": Label(origins={"recipient": "paid_before"}),  # the bank's own record
    "get_user_info": Label(personal=("street", "city", "password")),
    "update_password": Label(effect="write", authority=("password",)),
    "update_user_info": Label(effect="write", authority=("first_name", "last_name", "street", "city")),
    "read_file": Label(authority=("file_path",)),
}
MESSAGE: Mapping[str, Origin] = {"sender": "member", "recipient": "address_book", "body": "member_text"}
CHAT = {
    # The workspace's own records: its channels, its accounts, and who of them wrote what.
    "get_channels": Label(origins={"value": "address_book"}),
    "get_users_in_channel": Label(look_up=("channel",), names=("value",), origins={"value": "member"}),
    "read_channel_messages": Label(authority=("channel",), origins=MESSAGE),
    "read_inbox": Label(authority=("user",), origins=MESSAGE),
    "add_user_to_channel": Label(effect="write", authority=("user", "channel")),
    "send_direct_message": Label(effect="send", authority=("recipient",), free_text=("body",)),
    "send_channel_message": Label(effect="send", authority=("channel",), free_text=("body",)),
    "invite_user_to_slack": Label(effect="send", authority=("user", "user_email")),
    "remove_user_from_slack": Label(effect="destroy", authority=("user",)),
    "get_webpage": Label(effect="fetch", authority=("url",)),
    "post_webpage": Label(effect="send", authority=("url",), free_text=("content",)),
}
LABELS: Mapping[str, Label] = {**MAIL, **CALENDAR, **FILES, **TABLES, **TRIPS, **BANK, **CHAT}
"""Tools that stand nowhere here only read: the lists of hotels, restaurants and cars, balances, channels."""
