package samsa.storm;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Writes values as JSON into a buffer, in UTF-8. */
final class JsonWriter {
    private static final byte[] HEX = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

    /** The number of characters for which room is reserved at once. */
    private static final int BLOCK = 4096;
    private static final int SMALLEST_BYTES = 4096;
    /** A larger buffer is released after its message. */
    private static final int KEPT_BYTES = 1 << 20;

    byte[] bytes = new byte[SMALLEST_BYTES];
    int size;

    void clear() {
        size = 0;
        if (bytes.length > KEPT_BYTES) {
            bytes = new byte[SMALLEST_BYTES];
        }
    }

    /** Writes text that is already JSON. */
    JsonWriter raw(String ascii) {
        int length = ascii.length();
        reserve(length);
        for (int at = 0; at < length; at++) {
            bytes[size + at] = (byte) ascii.charAt(at);
        }
        size += length;
        return this;
    }

    /** Returns false, after a part of it may have been written, if a value has none of JSON's types. */
    boolean value(Object value) {
        if (value instanceof String) {
            string((String) value);
        } else if (value == null) {
            raw("null");
        } else if (value instanceof Integer || value instanceof Long || value instanceof Boolean
            || value instanceof Short || value instanceof Byte || value instanceof BigInteger) {
            raw(value.toString());
        } else if (value instanceof Double || value instanceof Float) {
            double number = ((Number) value).doubleValue();
            raw(Double.isNaN(number) || Double.isInfinite(number) ? "null" : value.toString());
        } else if (value instanceof List) {
            return list((List<?>) value);
        } else if (value instanceof Map) {
            return map((Map<?, ?>) value);
        } else {
            return false;
        }
        return true;
    }

    private boolean list(List<?> list) {
        raw("[");
        boolean isFirst = true;
        for (Object element : list) {
            if (!isFirst) {
                raw(",");
            }
            isFirst = false;
            if (!value(element)) {
                return false;
            }
        }
        raw("]");
        return true;
    }

    private boolean map(Map<?, ?> map) {
        raw("{");
        boolean isFirst = true;
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            if (!isFirst) {
                raw(",");
            }
            isFirst = false;
            string(String.valueOf(entry.getKey()));
            raw(":");
            if (!value(entry.getValue())) {
                return false;
            }
        }
        raw("}");
        return true;
    }

    private void string(String text) {
        int length = text.length();
        raw("\"");
        for (int from = 0; from < length; from += BLOCK) {
            block(text, from, Math.min(length, from + BLOCK));
        }
        raw("\"");
    }

    /**
     * Writes characters up to `to`, without the first one if it is the second half of a pair, which is already written.
     */
    private void block(String text, int from, int to) {
        // A character takes at most the bytes of its escape.
        reserve(6 * (to - from));
        for (int at = from; at < to; at++) {
            char one = text.charAt(at);
            if (one >= 0x20 && one < 0x7f && one != '"' && one != '\\') {
                bytes[size++] = (byte) one;
            } else if (!Character.isSurrogate(one)) {
                other(one);
            } else if (Character.isHighSurrogate(one) && at + 1 < text.length()
                && Character.isLowSurrogate(text.charAt(at + 1))) {
                pair(Character.toCodePoint(one, text.charAt(++at)));
            } else if (at != from || from == 0 || !Character.isSurrogatePair(text.charAt(at - 1), one)) {
                // Half of a pair cannot be encoded in UTF-8.
                escape(one);
            }
        }
    }

    private void other(char one) {
        if (one == '"' || one == '\\') {
            bytes[size++] = '\\';
            bytes[size++] = (byte) one;
        } else if (one < 0x80) {
            escape(one);
        } else if (one < 0x800) {
            bytes[size++] = (byte) (0xc0 | one >> 6);
            bytes[size++] = (byte) (0x80 | one & 0x3f);
        } else {
            bytes[size++] = (byte) (0xe0 | one >> 12);
            bytes[size++] = (byte) (0x80 | one >> 6 & 0x3f);
            bytes[size++] = (byte) (0x80 | one & 0x3f);
        }
    }

    private void pair(int code) {
        bytes[size++] = (byte) (0xf0 | code >> 18);
        bytes[size++] = (byte) (0x80 | code >> 12 & 0x3f);
        bytes[size++] = (byte) (0x80 | code >> 6 & 0x3f);
        bytes[size++] = (byte) (0x80 | code & 0x3f);
    }

    private void escape(char one) {
        bytes[size++] = '\\';
        bytes[size++] = 'u';
        for (int shift = 12; shift >= 0; shift -= 4) {
            bytes[size++] = HEX[one >> shift & 0xf];
        }
    }

    private void reserve(int more) {
        if (size + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
        }
    }
}
