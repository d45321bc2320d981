package org.example;

import org.apache.pulsar.functions.api.Context;
import org.apache.pulsar.functions.api.Function;

/** A function as most are. */
public class Exclamation implements Function<String, String> {
    @Override
    public String process(String input, Context context) {
        return input + "!";
    }

    /** A function that is a nested class. */
    public static class Question implements Function<String, String> {
        @Override
        public String process(String input, Context context) {
            return input + "?";
        }
    }
}
