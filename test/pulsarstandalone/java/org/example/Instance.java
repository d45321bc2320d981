package org.example;

import org.apache.pulsar.functions.runtime.JavaInstanceStarter;

/**
 * Runs an instance of a function as Pulsar's own program does, with the same arguments.
 * That program itself is in no repository: all it does is to keep the function's classes
 * apart from Pulsar's.
 */
public final class Instance {
    private Instance() {
    }

    public static void main(String[] arguments) throws Exception {
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        new JavaInstanceStarter().start(arguments, loader, loader);
    }
}
