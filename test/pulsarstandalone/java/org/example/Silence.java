package org.example;

import java.util.Map;
import org.apache.pulsar.functions.api.Record;
import org.apache.pulsar.io.core.Source;
import org.apache.pulsar.io.core.SourceContext;

/** A source that has nothing to say. */
public class Silence implements Source<String> {
    @Override
    public void open(Map<String, Object> config, SourceContext context) {
    }

    @Override
    public Record<String> read() throws InterruptedException {
        while (true) {
            Thread.sleep(Long.MAX_VALUE);
        }
    }

    @Override
    public void close() {
    }
}
