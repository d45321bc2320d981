package org.example;

import java.util.Map;
import java.util.function.Consumer;
import org.apache.pulsar.functions.api.Record;
import org.apache.pulsar.io.core.BatchSource;
import org.apache.pulsar.io.core.SourceContext;

/** A source that reads batches, of which there are none. */
public class Batches implements BatchSource<String> {
    @Override
    public void open(Map<String, Object> config, SourceContext context) {
    }

    @Override
    public void discover(Consumer<byte[]> task) {
    }

    @Override
    public void prepare(byte[] task) {
    }

    @Override
    public Record<String> readNext() {
        return null;
    }

    @Override
    public void close() {
    }
}
