package org.example;

import java.util.function.Function;

/** A function of Java's own kind. */
public class Plain implements Function<String, String> {
    @Override
    public String apply(String input) {
        return input;
    }
}
