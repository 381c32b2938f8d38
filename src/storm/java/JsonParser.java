package samsa.storm;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Parses JSON from a buffer. Whole numbers become Integers, or Longs or BigIntegers where these are too small, as in
 * Storm's own serializer; other numbers become Doubles. Lists and maps are those of java.util, which Storm can send to other workers.
 */
final class JsonParser {
    private static final int MOST_DIGITS = 18;

    private final byte[] bytes;
    private final int start;
    private final int end;
    private int at;

    private JsonParser(byte[] bytes, int start, int end) {
        this.bytes = bytes;
        this.start = start;
        this.end = end;
        this.at = start;
    }

    static Object parse(byte[] bytes, int start, int end) throws IOException {
        JsonParser parser = new JsonParser(bytes, start, end);
        Object value = parser.value(parser.next());
        if (parser.next() >= 0) {
            throw parser.invalid();
        }
        return value;
    }

    /** The next character after white space; -1 at the end. */
    private int next() {
        while (at < end) {
            byte one = bytes[at++];
            if (one != ' ' && one != '\n' && one != '\r' && one != '\t') {
                return one & 0xff;
            }
        }
        return -1;
    }

    private Object value(int first) throws IOException {
        switch (first) {
            case '"':
                return string();
            case '{':
                return map();
            case '[':
                return list();
            case 't':
                return word("true", true);
            case 'f':
                return word("false", false);
            case 'n':
                return word("null", null);
            // Python writes these.
            case 'N':
                return word("NaN", Double.NaN);
            case 'I':
                return word("Infinity", Double.POSITIVE_INFINITY);
            default:
                return number(first);
        }
    }

    private Map<String, Object> map() throws IOException {
        Map<String, Object> map = new HashMap<>();
        int one = next();
        if (one == '}') {
            return map;
        }
        for (;; one = next()) {
            if (one != '"') {
                throw invalid();
            }
            String key = string();
            if (next() != ':') {
                throw invalid();
            }
            map.put(key, value(next()));
            one = next();
            if (one == '}') {
                return map;
            } else if (one != ',') {
                throw invalid();
            }
        }
    }

    private List<Object> list() throws IOException {
        List<Object> list = new ArrayList<>();
        int one = next();
        if (one == ']') {
            return list;
        }
        for (;; one = next()) {
            list.add(value(one));
            one = next();
            if (one == ']') {
                return list;
            } else if (one != ',') {
                throw invalid();
            }
        }
    }

    private String string() throws IOException {
        int from = at;
        int bits = 0;
        boolean hasEscapes = false;
        while (at < end) {
            byte one = bytes[at++];
            if (one == '"') {
                int length = at - 1 - from;
                // Latin 1 of ASCII is a copy.
                return hasEscapes ? unescaped(new String(bytes, from, length, StandardCharsets.UTF_8))
                    : new String(bytes, from, length, bits < 0 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1);
            } else if (one == '\\') {
                hasEscapes = true;
                at++;
            }
            bits |= one;
        }
        throw invalid();
    }

    private String unescaped(String text) throws IOException {
        StringBuilder builder = new StringBuilder(text.length());
        int from = 0;
        for (int slash = text.indexOf('\\'); slash >= 0; slash = text.indexOf('\\', from)) {
            builder.append(text, from, slash);
            char kind = text.charAt(slash + 1);
            from = slash + 2;
            switch (kind) {
                case 'b': builder.append('\b'); break;
                case 'f': builder.append('\f'); break;
                case 'n': builder.append('\n'); break;
                case 'r': builder.append('\r'); break;
                case 't': builder.append('\t'); break;
                case 'u':
                    if (from + 4 > text.length()) {
                        throw invalid();
                    }
                    builder.append((char) Integer.parseInt(text.substring(from, from + 4), 16));
                    from += 4;
                    break;
                default: builder.append(kind);
            }
        }
        return builder.append(text, from, text.length()).toString();
    }

    private Object number(int first) throws IOException {
        int from = at - 1;
        boolean isNegative = first == '-';
        if (isNegative && at < end && bytes[at] == 'I') {
            at++;
            return word("Infinity", Double.NEGATIVE_INFINITY);
        }
        if (!isNegative) {
            at = from;
        }
        long value = 0;
        int firstDigit = at;
        while (at < end && bytes[at] >= '0' && bytes[at] <= '9') {
            value = 10 * value + bytes[at++] - '0';
        }
        int digits = at - firstDigit;
        if (digits == 0) {
            throw invalid();
        }
        boolean isWhole = true;
        while (at < end && isOfFraction(bytes[at])) {
            isWhole = false;
            at++;
        }
        if (isWhole && digits <= MOST_DIGITS) {
            return narrow(isNegative ? -value : value);
        }
        String text = new String(bytes, from, at - from, StandardCharsets.ISO_8859_1);
        if (!isWhole) {
            return Double.valueOf(text);
        }
        BigInteger big = new BigInteger(text);
        return big.bitLength() < Long.SIZE ? (Object) big.longValue() : big;
    }

    private static Object narrow(long value) {
        int narrow = (int) value;
        return narrow == value ? (Object) narrow : (Object) value;
    }

    private static boolean isOfFraction(byte one) {
        return one >= '0' && one <= '9' || one == '.' || one == 'e' || one == 'E' || one == '+' || one == '-';
    }

    private Object word(String word, Object value) throws IOException {
        at--;
        for (int index = 0; index < word.length(); index++) {
            if (at >= end || bytes[at++] != word.charAt(index)) {
                throw invalid();
            }
        }
        return value;
    }

    private IOException invalid() {
        String text = new String(bytes, start, end - start, StandardCharsets.UTF_8);
        return new IOException("The component has sent invalid JSON at character " + (at - start) + ": " + text);
    }
}
