package samsa.storm;

import java.io.IOException;
import java.io.OutputStream;

/**
 * The pipe to a component's process, with a buffer. Storm's own serializers write each tuple to the pipe by itself: a
 * system call in the JVM, and often another one in the component, which cost more than the message. Data that
 * arrive while a write is in progress are sent together in the next one.
 */
final class PipeOutput {
    private static final int MOST_BYTES = 1 << 16;
    /** A serializer is not notified when its component ends, so an idle thread ends after this time. */
    private static final long IDLE_MS = 10_000;

    private final OutputStream pipe;
    private byte[] filling = new byte[MOST_BYTES];
    private byte[] spare = new byte[MOST_BYTES];
    private int size;
    private boolean isWriting;
    private boolean hasThread;
    private boolean isIdle;
    private IOException failure;

    PipeOutput(OutputStream pipe) {
        this.pipe = pipe;
    }

    void write(byte[] bytes) throws IOException {
        write(bytes, 0, bytes.length);
    }

    /** Waits for the pipe if the buffer is full. */
    void write(byte[] bytes, int from, int length) throws IOException {
        int at = from;
        int left = length;
        while (left > 0) {
            int part = append(bytes, at, left);
            if (part == 0) {
                flush();
            }
            at += part;
            left -= part;
        }
    }

    /** Returns how many bytes had room. */
    private synchronized int append(byte[] bytes, int from, int length) throws IOException {
        if (failure != null) {
            throw new IOException(failure);
        }
        int part = Math.min(length, MOST_BYTES - size);
        System.arraycopy(bytes, from, filling, size, part);
        size += part;
        return part;
    }

    /** Returns when the pipe has everything that was written before. */
    void flush() throws IOException {
        byte[] full;
        int length;
        synchronized (this) {
            while (isWriting) {
                await(0);
            }
            if (size == 0) {
                return;
            }
            full = filling;
            length = size;
            filling = spare;
            size = 0;
            isWriting = true;
        }
        try {
            pipe.write(full, 0, length);
            pipe.flush();
        } finally {
            synchronized (this) {
                spare = full;
                isWriting = false;
                notifyAll();
            }
        }
    }

    /** Flushes in a separate thread, so that everything that the caller writes meanwhile is sent together. */
    synchronized void flushSoon() {
        if (!hasThread) {
            hasThread = true;
            Thread thread = new Thread(this::flushAll, "multilang-output");
            thread.setDaemon(true);
            thread.start();
        } else if (isIdle) {
            isIdle = false;
            notifyAll();
        }
    }

    private void flushAll() {
        try {
            while (hasMore()) {
                flush();
            }
        } catch (IOException e) {
            synchronized (this) {
                failure = e;
                hasThread = false;
            }
        }
    }

    /** Waits for something to flush. Returns false after a long wait without any: the thread then ends. */
    private synchronized boolean hasMore() throws IOException {
        long until = System.nanoTime() + IDLE_MS * 1_000_000;
        for (long left = IDLE_MS; size == 0 && left > 0; left = (until - System.nanoTime()) / 1_000_000) {
            isIdle = true;
            await(left);
        }
        isIdle = false;
        hasThread = size > 0;
        return hasThread;
    }

    private void await(long timeoutMs) throws IOException {
        try {
            wait(timeoutMs);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("Interrupted while the component reads nothing", e);
        }
    }
}
