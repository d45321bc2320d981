package org.example;

import org.apache.pulsar.functions.api.Context;
import org.apache.pulsar.functions.api.Function;

/** A function that measures what it gets, and fails at what is bad. */
public class Measured implements Function<String, String> {
    @Override
    public String process(String input, Context context) {
        context.recordMetric("length", input.length());
        if (input.equals("bad")) {
            throw new IllegalArgumentException("this is bad");
        }
        return input;
    }
}
