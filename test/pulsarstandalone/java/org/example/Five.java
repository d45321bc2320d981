package org.example;

import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pulsar.functions.api.Record;
import org.apache.pulsar.io.core.Source;
import org.apache.pulsar.io.core.SourceContext;

/** A source that has five messages, and then nothing more. */
public class Five implements Source<String> {
    private static final int MESSAGES = 5;

    private final AtomicInteger read = new AtomicInteger();
    private final CountDownLatch closed = new CountDownLatch(1);

    @Override
    public void open(Map<String, Object> config, SourceContext context) {
    }

    @Override
    public Record<String> read() throws Exception {
        int number = read.incrementAndGet();
        if (number > MESSAGES) {
            closed.await();
        }
        return () -> "message " + number;
    }

    @Override
    public void close() {
        closed.countDown();
    }
}
