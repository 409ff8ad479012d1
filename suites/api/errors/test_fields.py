"""API-ERR: requests with one field missing, of the wrong type, or out of range.

MUST where the type is wrong: nothing right can be made of it, and a 5xx makes clients try again. SHOULD where
a value is merely not allowed: some gateways leave that to the model.
"""

from gateway_acceptance.check import SHOULD
from suites.api.errors.rules import refusal, refused_unread

test_messages_missing = refusal("API-ERR-011", "a chat without messages is refused", "messages missing")
test_messages_string = refusal("API-ERR-012", "messages that are a string are refused", "messages a string")
test_messages_null = refusal("API-ERR-013", "messages that are null are refused", "messages null")
test_messages_empty = refusal(
    "API-ERR-014", "an empty list of messages is refused", "messages empty", level=SHOULD
)
test_message_string = refusal(
    "API-ERR-015", "a message that is a string is refused", "a message that is a string"
)
test_unknown_role = refusal("API-ERR-016", "an unknown role is refused", "an unknown role", level=SHOULD)
test_role_missing = refusal("API-ERR-017", "a message without role is refused", "role missing", level=SHOULD)
test_content_number = refusal("API-ERR-018", "content that is a number is refused", "content a number")
test_unknown_part = refusal(
    "API-ERR-019", "a content part of unknown type is refused", "an unknown content part"
)
test_model_missing = refused_unread("API-ERR-020", "a chat without model is refused", "model missing")
test_model_number = refused_unread(
    "API-ERR-021",
    "a model that is a number is refused",
    "model a number at chat",
    "model a number at embeddings",
)
test_temperature_string = refusal(
    "API-ERR-022", "a temperature that is a string is refused", "temperature a string"
)
test_temperature_range = refusal(
    "API-ERR-023",
    "a temperature out of range is refused",
    "temperature 9",
    "temperature -1",
    level=SHOULD,
)
test_max_tokens_negative = refusal(
    "API-ERR-024", "negative max_tokens are refused", "max_tokens negative", level=SHOULD
)
test_max_tokens_string = refusal(
    "API-ERR-025", "max_tokens that are a string are refused", "max_tokens a string"
)
test_stream_string = refusal("API-ERR-026", "stream that is a string is refused", "stream a string")
test_tools_string = refusal("API-ERR-027", "tools that are a string are refused", "tools a string")
test_response_format_string = refusal(
    "API-ERR-028", "a response_format that is a string is refused", "response_format a string"
)
test_input_missing = refusal(
    "API-ERR-029", "an embedding request without input is refused", "input missing", claims="FUN-02"
)
test_input_type = refusal(
    "API-ERR-030",
    "an input that is a number or an object is refused",
    "input a number",
    "input an object",
    claims="FUN-02",
)
