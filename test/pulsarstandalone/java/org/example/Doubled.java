package org.example;

import org.apache.pulsar.functions.api.Context;
import org.apache.pulsar.functions.api.Function;

/** A function of numbers, which a SerDe of texts does not fit. */
public class Doubled implements Function<Integer, Integer> {
    @Override
    public Integer process(Integer input, Context context) {
        return input * 2;
    }
}
