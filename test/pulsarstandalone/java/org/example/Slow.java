package org.example;

import org.apache.pulsar.functions.api.Context;
import org.apache.pulsar.functions.api.Function;

/** A function that takes as many milliseconds as its input says first, and answers nothing to an empty one. */
public class Slow implements Function<String, String> {
    @Override
    public String process(String input, Context context) throws Exception {
        if (input.isEmpty()) {
            return null;
        }
        String[] words = input.split(" ", 2);
        if (words.length == 2 && words[0].matches("\\d+")) {
            Thread.sleep(Long.parseLong(words[0]));
        }
        return input + "!";
    }
}
