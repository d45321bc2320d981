package org.example;

import java.util.Map;
import java.util.function.Consumer;
import org.apache.pulsar.io.core.BatchSourceTriggerer;
import org.apache.pulsar.io.core.SourceContext;

/** Triggers no batch. */
public class Never implements BatchSourceTriggerer {
    @Override
    public void init(Map<String, Object> config, SourceContext context) {
    }

    @Override
    public void start(Consumer<String> trigger) {
    }

    @Override
    public void stop() {
    }
}
