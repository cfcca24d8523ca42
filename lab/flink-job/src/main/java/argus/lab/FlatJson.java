package argus.lab;

import java.util.HashMap;
import java.util.Map;

/** The scalar fields of one JSON object, enough for the lab's events. What it can't read it leaves out. */
final class FlatJson {
    private final String text;
    private final Map<String, String> fields = new HashMap<>();
    private int at;

    private FlatJson(String text) {
        this.text = text;
    }

    /** Reads the fields up to the first thing that is no flat JSON; never throws. */
    static FlatJson parse(String text) {
        FlatJson json = new FlatJson(text);
        if (json.skip('{')) {
            while (json.field() && json.skip(',')) {}
        }
        return json;
    }

    /** The field's text (a string without its quotes, a number as written), or {@code absent}. */
    String get(String name, String absent) {
        return fields.getOrDefault(name, absent);
    }

    private boolean field() {
        String name = string();
        if (name == null || !skip(':')) return false;
        String value = peek() == '"' ? string() : bare();
        if (value == null) return false;
        fields.put(name, value);
        return true;
    }

    private char peek() {
        while (at < text.length() && text.charAt(at) <= ' ') at++;
        return at < text.length() ? text.charAt(at) : 0;
    }

    private boolean skip(char expected) {
        if (peek() != expected) return false;
        at++;
        return true;
    }

    /** A number, true, false or null; an array or an object ends the reading. */
    private String bare() {
        peek();
        int from = at;
        while (at < text.length() && ",}] \t\r\n{[\"".indexOf(text.charAt(at)) < 0) at++;
        return at == from ? null : text.substring(from, at);
    }

    private String string() {
        if (!skip('"')) return null;
        StringBuilder out = new StringBuilder();
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') return out.toString();
            if (c != '\\') {
                out.append(c);
                continue;
            }
            if (at >= text.length()) return null;
            char escaped = text.charAt(at++);
            switch (escaped) {
                case 'b' -> out.append('\b');
                case 'f' -> out.append('\f');
                case 'n' -> out.append('\n');
                case 'r' -> out.append('\r');
                case 't' -> out.append('\t');
                case '"', '\\', '/' -> out.append(escaped);
                case 'u' -> {
                    if (at + 4 > text.length() || !text.substring(at, at + 4).matches("[0-9a-fA-F]{4}")) return null;
                    out.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                    at += 4;
                }
                default -> {
                    return null;
                }
            }
        }
        return null;
    }

    /** The text as a JSON string, with its quotes. */
    static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < ' ') out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }
}
