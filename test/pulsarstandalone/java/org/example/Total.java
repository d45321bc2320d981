package org.example;

import java.util.Collection;
import org.apache.pulsar.functions.api.Record;
import org.apache.pulsar.functions.api.WindowContext;
import org.apache.pulsar.functions.api.WindowFunction;

/** A function of windows. */
public class Total implements WindowFunction<String, String> {
    @Override
    public String process(Collection<Record<String>> input, WindowContext context) {
        return String.valueOf(input.size());
    }
}
