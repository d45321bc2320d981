package org.example;

import org.apache.pulsar.functions.api.Context;
import org.apache.pulsar.functions.api.Function;

/** A function that answers nothing. */
public class Quiet implements Function<String, Void> {
    @Override
    public Void process(String input, Context context) {
        return null;
    }
}
