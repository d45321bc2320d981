package org.example;

import java.util.Map;
import org.apache.pulsar.functions.api.Record;
import org.apache.pulsar.io.core.Sink;
import org.apache.pulsar.io.core.SinkContext;

/** A sink that forgets what it is given. */
public class Discard implements Sink<String> {
    @Override
    public void open(Map<String, Object> config, SinkContext context) {
    }

    @Override
    public void write(Record<String> record) {
        record.ack();
    }

    @Override
    public void close() {
    }
}
